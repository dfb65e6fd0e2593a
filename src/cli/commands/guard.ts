import { resolve } from "node:path";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { redactor } from "../../events/redact.ts";
import { utc } from "../../events/utc.ts";
import type { JudgeState } from "../../guard/judge.ts";
import { rejudge, startRejudging } from "../../guard/recording.ts";
import type { UnlistedCode } from "../../guard/unlisted.ts";
import type { Verdict } from "../../guard/verdict.ts";
import type { Environment, PlanGuard } from "../../plan/model.ts";
import { operationsIn, regionsWithout } from "../../plan/operations-of.ts";
import { plainGuard } from "../../plan/to-plan.ts";
import { versionLine } from "../../view/json.ts";
import { plain, statusLine } from "../../view/status-line.ts";
import { unlistedLine, verdictLine, watchedText } from "../../view/watched.ts";
import { durationOption } from "../duration-option.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { checkAlone } from "../files/load.ts";
import { readRecording } from "../guard/read-recording.ts";
import { findSide } from "../facts/sides.ts";
import { stateDirOf } from "../run/state-dir.ts";
import { watchAlone } from "../guard/watch-alone.ts";
import { wireGuard } from "../wiring/guard.ts";
import { BadInput } from "../../errors/problem.ts";

type Options = {
  readonly env?: string;
  readonly plan?: string;
  readonly state?: string;
  readonly for?: string;
  readonly record?: string;
  readonly replay?: string;
  readonly json?: boolean;
};

/** The guard by itself: on what lives now, or on what was recorded. Changes nothing but its own probe orders. */
export async function guard(io: CliIo, _: readonly string[], options: Options): Promise<ExitStatus> {
  if (options.replay !== undefined) return replay(io, options.replay, options);
  if (options.env === undefined)
    throw new UpgradeError("USAGE", "what the guard should watch is not said", {
      hint: "name an environment: --env production, or a recording: --replay FILE",
    });
  return live(io, options.env, options);
}

async function live(io: CliIo, env: string, options: Options): Promise<ExitStatus> {
  const given = await findSide(io, env, options.plan);
  if (given.kind === "snapshot")
    throw new UpgradeError("USAGE", `${env} is a snapshot, and nobody trades there`, { hint: "name an environment" });
  const { environment } = given;
  const forMs = options.for === undefined ? undefined : durationOption("--for", options.for);
  const settings = (await settingsOf(io, options.plan)) ?? plainGuard(operationsIn(environment));
  refuseUnprobed(environment, settings);
  const wired = await wireGuard(environment, settings, {
    env: io.env,
    cwd: io.cwd,
    stateDir: stateDirOf(io, environment, options.state),
    ...(options.record === undefined ? {} : { record: resolve(io.cwd, options.record) }),
  });
  const stop = new AbortController();
  const unhear = io.onSignal(() => stop.abort());
  const clean = redactor(wired.secrets);
  const told = { ...io, print: (text: string) => io.print(clean(text)), say: (text: string) => io.say(clean(text)) };
  const show = shown(told, options.json === true);
  try {
    show.begin();
    const watched = await watchAlone(wired, { ...show, ...(forMs === undefined ? {} : { forMs }) }, stop.signal);
    if (options.json === true)
      io.print(JSON.stringify({ kind: "guard-summary", environment: environment.name, ...watched }));
    else io.print(watchedText(watched));
    return watched.isHealthy ? EXIT.done : EXIT.refused;
  } finally {
    unhear();
  }
}

/** Health could never be shown of an operation that nobody tries. */
function refuseUnprobed(environment: Environment, { operations }: PlanGuard): void {
  for (const operation of operations) {
    const [lacking] = regionsWithout(environment, operation);
    if (lacking === undefined) continue;
    throw new UpgradeError("OPERATION_UNPROBED", `no probe of ${lacking.region} tries the operation "${operation}"`, {
      hint: `name operations that it tries in the plan's guard: ${lacking.offered.join(", ")}`,
    });
  }
}

/** Verdicts as they come; every second how it goes, on a terminal or as JSON. */
function shown(io: CliIo, isJson: boolean) {
  let toldAt = -Infinity;
  const known = new Set<string>();
  /** Each code that no rule names, when it first comes. In JSON the pulse has them all. */
  const tellUnlisted = (rows: readonly UnlistedCode[]): void => {
    for (const row of rows) {
      const name = `${row.rules} ${row.code}`;
      if (!known.has(name)) io.say(unlistedLine(row));
      known.add(name);
    }
  };
  return {
    begin: () => {
      if (isJson) io.print(versionLine(io.version));
    },
    verdict: (verdict: Verdict) => io.print(isJson ? jsonOf(verdict) : verdictLine(verdict)),
    pulse: (pulse: Parameters<Parameters<typeof watchAlone>[1]["pulse"]>[0]) => {
      if (!isJson) tellUnlisted(pulse.unlisted ?? []);
      if (pulse.at - toldAt < (isJson ? EVERY_MS : SHOWN_EVERY_MS)) return;
      toldAt = pulse.at;
      if (isJson) io.print(JSON.stringify({ kind: "pulse", ...pulse, at: utc(pulse.at) }));
      else if (io.stderr.isTTY) io.say(`${utc(pulse.at)} ${statusLine(pulse, plain)}`);
    },
    trouble: (text: string) => io.say(text),
  };
}
const EVERY_MS = 1_000;
const SHOWN_EVERY_MS = 5_000;

const jsonOf = ({ at, state, reason, regions }: Verdict): string =>
  JSON.stringify({ kind: "verdict", at: utc(at), state, regions, reason });

/** Judges a recording again, by its own settings or by those of a plan. */
async function replay(io: CliIo, file: string, options: Options): Promise<ExitStatus> {
  const settings = await settingsOf(io, options.plan);
  const isJson = options.json === true;
  if (isJson) io.print(versionLine(io.version));
  let state: JudgeState | undefined;
  let inputs = 0;
  let ill: Verdict | undefined;
  for await (const line of readRecording(io, file)) {
    // A run that was resumed began to judge anew.
    if (line.kind === "head") {
      state = startRejudging(line.head, settings);
      continue;
    }
    if (state === undefined) continue;
    inputs += 1;
    const { state: next, changed } = rejudge(state, line.input);
    state = next;
    if (changed === undefined) continue;
    if (changed.state !== "healthy" && changed.state !== "unknown") ill ??= changed;
    io.print(isJson ? jsonOf(changed) : verdictLine(changed));
  }
  if (isJson)
    io.print(
      JSON.stringify({
        kind: "replay-summary",
        inputs,
        ...(ill === undefined ? {} : { first: { at: utc(ill.at), state: ill.state } }),
      }),
    );
  else
    io.print(
      `${inputs} inputs judged again${settings === undefined ? "" : `, by the settings of ${options.plan ?? ""}`}: ${ill === undefined ? "nothing was held against anybody" : `first ${ill.state} at ${utc(ill.at)}`}`,
    );
  return EXIT.done;
}

async function settingsOf(io: CliIo, plan: string | undefined): Promise<PlanGuard | undefined> {
  if (plan === undefined) return undefined;
  const { plan: read, problems } = await checkAlone(io, plan, undefined);
  if (read === undefined) throw new BadInput(problems);
  return read.guard;
}
