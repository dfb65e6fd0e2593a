import { messageOf } from "../../errors/message-of.ts";
import { setTimeout as pause } from "node:timers/promises";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Instance, Shape, Weighing, WorkloadState } from "../../graph/observation.ts";
import type { CommandComponent } from "../../plan/model.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import type { Traffic } from "../../ports/traffic.ts";
import type { Workload } from "../../ports/workload.ts";
import { runCommand } from "./run-command.ts";

export type CommandOptions = { readonly component: string; readonly config: CommandComponent; readonly cwd: string };

const READY_EVERY_MS = 500;

/**
 * Any component that programs can observe and change. One instance per region, replaced in place: a release that shall stand beside another
 * stands on paper only, and `apply` (or `undo`, towards the first of two releases, which is the one that was there before) runs when
 * exactly one of them shall be left. Users cannot be kept away from it, so weights are on paper too: what withdraws it is its undo.
 */
export function commandWorkload(options: CommandOptions): { readonly workload: Workload; readonly traffic: Traffic } {
  const papers = new Map<string, Paper>();
  const paperOf = (region: string): Paper => {
    const known = papers.get(region) ?? { fence: { epoch: 0, seq: 0 }, weights: new Map() };
    papers.set(region, known);
    return known;
  };
  const obey = (region: string, fence: Fence): Paper => {
    const paper = paperOf(region);
    if (fence.epoch < paper.fence.epoch || (fence.epoch === paper.fence.epoch && fence.seq < paper.fence.seq)) {
      throw new UpgradeError(
        "FENCED",
        `an order with fence ${fenceText(fence)} came to ${options.component} in ${region} after ${fenceText(paper.fence)}`,
        { hint: "look at `midflight status` to see who acts now" },
      );
    }
    paper.fence = fence;
    return paper;
  };
  return {
    workload: {
      observe: async (region, signal) =>
        stateOf(options, region, paperOf(region), await observe(options, region, signal)),
      async shape(region, shape, fence, signal) {
        const paper = obey(region, fence);
        let real = await observe(options, region, signal);
        refuseStranger(options, region, shape, real);
        const target = soleOf(shape);
        if (target !== undefined && (real.digest !== target.digest || !real.ready))
          real = await reach({ options, region, shape, target, fence, signal }, real);
        paper.shape = shape;
        return stateOf(options, region, paper, real);
      },
    },
    traffic: {
      async weigh(region, weighing, fence, signal) {
        signal.throwIfAborted();
        const paper = obey(region, fence);
        for (const { digest } of weighing) paper.weights.set(digest, weightIn(weighing, digest));
      },
    },
  };
}

/** What was agreed for a region and is not in the world. Forgotten with the process; then the world counts. */
type Paper = { fence: Fence; shape?: Shape; readonly weights: Map<string, number> };
type Real = { readonly release: string; readonly digest: string; readonly ready: boolean };
type Release = Shape["releases"][number];

const weightIn = (weighing: Weighing, digest: string): number =>
  weighing.find((rule) => rule.digest === digest && rule.admitted > 0)?.weightPct ?? 0;

/** The one release that shall be left; undefined when two shall, or none. */
function soleOf(shape: Shape): Release | undefined {
  const wanted = shape.releases.filter(({ count }) => count > 0);
  return wanted.length === 1 ? wanted[0] : undefined;
}

function stateOf(options: CommandOptions, region: string, paper: Paper, real: Real): WorkloadState {
  const wanted = paper.shape?.releases.filter(({ count }) => count > 0) ?? [real];
  // Somebody changed it since: what is there counts, not what was agreed.
  const isForeign = paper.shape !== undefined && !paper.shape.releases.some(({ digest }) => digest === real.digest);
  return {
    region,
    instances: (isForeign ? [real] : wanted).map(({ release, digest }): Instance => {
      const isReal = digest === real.digest;
      return {
        id: `${options.component}-${region}-${release.slice(release.indexOf("@") + 1)}-1`,
        release,
        digest,
        ordinal: 1,
        ready: isReal ? real.ready : true,
        weightPct: paper.weights.get(digest) ?? (isReal ? 100 : 0),
      };
    }),
  };
}

function refuseStranger({ component }: CommandOptions, region: string, shape: Shape, real: Real): void {
  if (shape.releases.some(({ digest }) => digest === real.digest)) return;
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `${component} in ${region} runs ${real.release} (${real.digest}), which is not of this run`,
    { hint: "put it back, or end the other change, then `midflight resume`" },
  );
}

type Errand = {
  readonly options: CommandOptions;
  readonly region: string;
  readonly shape: Shape;
  readonly target: Release;
  readonly fence: Fence;
  readonly signal: AbortSignal;
};

/** Applies or undoes, then waits until it says that it is what it shall be, and ready. */
async function reach(errand: Errand, before: Real): Promise<Real> {
  const { options, region, shape, target, fence, signal } = errand;
  const { config } = options;
  const isBack = shape.releases.length > 1 && shape.releases[0]?.digest === target.digest;
  const env = { MIDFLIGHT_RELEASE: target.release, MIDFLIGHT_DIGEST: target.digest, MIDFLIGHT_FENCE: fenceText(fence) };
  if (before.digest !== target.digest) await program(options, region, isBack ? "undo" : "apply", env, signal);
  const until = performance.now() + config.timeoutMs;
  let why = "it is not ready";
  for (;;) {
    const real = await observe(options, region, signal);
    if (real.digest !== target.digest)
      throw new UpgradeError(
        "COMMAND_FAILED",
        `${isBack ? "undo" : "apply"} of ${options.component} in ${region} succeeded, but it runs ${real.digest} and not ${target.digest}`,
        { hint: "let the program end only when the change is done" },
      );
    const refusal = real.ready ? await refusalOf(options, region, env, signal) : undefined;
    if (real.ready && refusal === undefined) return real;
    why = refusal ?? why;
    if (performance.now() >= until)
      throw new UpgradeError(
        "INSTANCE_NOT_READY",
        `${options.component} in ${region} was not ready within ${config.timeoutMs / 1000} s: ${why}`,
        { hint: "run its `ready` program by hand" },
      );
    await pause(READY_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Undefined when its ready program agrees, or there is none. */
async function refusalOf(
  options: CommandOptions,
  region: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (options.config.ready.length === 0) return undefined;
  try {
    await program(options, region, "ready", env, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

async function observe(options: CommandOptions, region: string, signal: AbortSignal): Promise<Real> {
  try {
    return realOf(await program(options, region, "observe", {}, signal), options);
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof UpgradeError)) throw cause;
    throw new UpgradeError(
      "WORKLOAD_UNREACHABLE",
      `${options.component} in ${region} cannot be observed: ${cause.message}`,
      { hint: cause.hint, cause },
    );
  }
}

function realOf(text: string, options: CommandOptions): Real {
  try {
    const { release, digest, ready = true } = JSON.parse(text) as Partial<Real>;
    if (typeof release === "string" && typeof digest === "string" && typeof ready === "boolean")
      return { release, digest, ready };
  } catch {
    // Told below.
  }
  throw new UpgradeError(
    "COMMAND_FAILED",
    `observe: \`${options.config.observe.join(" ")}\` printed ${text.trim() === "" ? "nothing" : JSON.stringify(text.slice(0, 200))} instead of {"release","digest","ready"}`,
    { hint: "let it print one JSON object, and nothing else, on standard output" },
  );
}

const program = (
  options: CommandOptions,
  region: string,
  purpose: "observe" | "apply" | "undo" | "ready",
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> =>
  runCommand(
    {
      purpose,
      argv: options.config[purpose],
      shell: options.config.shell,
      cwd: options.cwd,
      timeoutMs: options.config.timeoutMs,
      env: { MIDFLIGHT_COMPONENT: options.component, MIDFLIGHT_REGION: region, ...env },
    },
    signal,
  );
