import { Bug } from "../../../errors/bug.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { JobProgram } from "../../../plan/model.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Runner } from "../../../ports/runner.ts";
import { isFailure, unlessAbsent } from "../api/api-failure.ts";
import { apiOf } from "../api/api.ts";
import { connect } from "../api/connection.ts";
import { jobFor, parseJobManifest, selectorOf, TRY, type JobManifest, type Try } from "./job-manifest.ts";
import { endIn, endOf, lastWords, untilGone, type JobEnd, type JobPlace, type LastWords } from "./job-end.ts";
import type { Job, Listed } from "../api/objects.ts";
import { inOurWords } from "../site.ts";

export type JobsOptions = {
  readonly context: string;
  readonly namespace: string;
  /** A path, or the text. Undefined: where kubectl would find it. */
  readonly kubeconfig?: string;
  readonly clock: Clock;
  /** Every Job that the plan names, with the text of its manifest. */
  readonly programs: readonly { readonly program: JobProgram; readonly text: string }[];
};

/**
 * Runs Jobs. One that stands for the effect already is waited for, or counts if it has succeeded; one that failed is tried anew under the next number.
 * Throws `JOB_MANIFEST_WRONG`, `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`.
 */
export function kubernetesJobs({ context, namespace, kubeconfig, clock, programs }: JobsOptions): Runner {
  const manifests = new Map(
    programs.map(({ program, text }): [string, JobManifest] => [keyOf(program), parseJobManifest(program, text)]),
  );
  const api = apiOf(connect(kubeconfig, context, { namespace, now: () => clock.monotonic() }), clock);
  const place: JobPlace = { api, clock };
  return {
    run: (order, signal) =>
      inOurWords("JOBS_UNREACHABLE", async () => {
        signal.throwIfAborted();
        const started = clock.monotonic();
        const manifest = order.job === undefined ? undefined : manifests.get(keyOf(order.job));
        if (manifest === undefined) throw new Bug("a job was ordered that the plan does not name");
        const one = { ...tryOf(order.env), count: 1, timeoutMs: order.timeoutMs };
        try {
          const name = await standing(place, manifest, one, signal);
          const end = await endOf(place, name, order.timeoutMs, signal);
          const { output } = await judged({ place, name, manifest }, end, order.timeoutMs);
          return { output, ms: Math.round(clock.monotonic() - started) };
        } catch (error) {
          // As a program would die. Whoever lost the lease or the journal sends nothing more, and the next one waits for this very Job.
          if (signal.aborted && maySend(signal.reason)) await removeAll(place, one);
          throw error;
        }
      }),
  };
}

/** Rejects `RUN_FAILED`, `RUN_TIMED_OUT`. */
async function judged(told: Told, end: JobEnd, timeoutMs: number): Promise<LastWords> {
  const words = await lastWords(told.place, told.name, told.manifest.container);
  switch (end.kind) {
    case "succeeded":
      return words;
    case "failed":
      throw failed(told, end.why, words);
    case "stuck":
    case "late":
      await remove(told.place, told.name);
      throw notEnded(told, end, words, timeoutMs);
  }
}

const keyOf = ({ manifest, container = "" }: JobProgram): string => `${manifest} ${container}`;

/** What a program is told, without what only a program of this machine may see. */
function tryOf(env: Readonly<Record<string, string>>): Pick<Try, "run" | "effect" | "env"> {
  const {
    MIDFLIGHT_RUN: run = "",
    MIDFLIGHT_EFFECT: effect = "",
    MIDFLIGHT_FENCE = "",
    MIDFLIGHT_ENVIRONMENT = "",
  } = env;
  return { run, effect, env: { MIDFLIGHT_RUN: run, MIDFLIGHT_EFFECT: effect, MIDFLIGHT_FENCE, MIDFLIGHT_ENVIRONMENT } };
}

/** The name of the Job that stands for this effect, made if there is none that may still succeed. */
async function standing(place: JobPlace, manifest: JobManifest, one: Try, signal: AbortSignal): Promise<string> {
  const items = await triesOf(place, one, signal);
  const last = items.toSorted((a, b) => countOf(b) - countOf(a))[0];
  if (last !== undefined && endIn(last)?.kind !== "failed") return last.metadata.name;
  const job = jobFor(manifest, { ...one, count: last === undefined ? 1 : countOf(last) + 1 });
  try {
    await place.api.send({ verb: "create", resource: "jobs", query: { fieldManager: "midflight" }, body: job }, signal);
  } catch (error) {
    // Made by a request whose answer was lost, or by whoever was faster: the name says for which effect it stands.
    if (!isFailure(error, 409)) throw error;
  }
  return job.metadata.name;
}

const triesOf = async ({ api }: JobPlace, one: Try, signal: AbortSignal): Promise<readonly Job[]> => {
  const query = { labelSelector: selectorOf(one) };
  return (await api.send<Listed<Job>>({ verb: "list", resource: "jobs", query }, signal)).items ?? [];
};

const countOf = ({ metadata }: Job): number => Number(metadata.labels?.[TRY] ?? 1);

/** With its pods, and they have gone when this resolves: what comes next must not meet it. */
async function remove(place: JobPlace, name: string): Promise<void> {
  const { signal } = new AbortController();
  const query = { propagationPolicy: "Background" };
  await unlessAbsent(place.api.send({ verb: "delete", resource: "jobs", name, query }, signal));
  await untilGone(place, name);
}

/** Also one whose creation was answered by nobody. What has ended stays, to be looked at. */
async function removeAll(place: JobPlace, one: Try): Promise<void> {
  const tries = await triesOf(place, one, new AbortController().signal);
  for (const job of tries) if (endIn(job) === undefined) await remove(place, job.metadata.name);
}

const maySend = (reason: unknown): boolean => !(reason instanceof UpgradeError) || reason.code === "EFFECT_TIMED_OUT";

type Told = { readonly place: JobPlace; readonly name: string; readonly manifest: JobManifest };

const thing = ({ place: { api }, name, manifest }: Told): string =>
  `the job ${manifest.path} (jobs/${name} in namespace ${api.namespace} of ${api.context})`;

const said = ({ output }: LastWords): string =>
  output.trim() === ""
    ? "; it printed nothing"
    : `; its last lines:\n${output.trimEnd().split("\n").slice(-12).join("\n")}`;

function failed(told: Told, why: string, words: LastWords): UpgradeError {
  const status = words.exitStatus === undefined ? `failed (${why})` : `exited with status ${words.exitStatus} (${why})`;
  return new UpgradeError("RUN_FAILED", `${thing(told)} ${status}${said(words)}`, {
    hint: "mend what it says, and go on with `midflight resume`: it is tried anew",
  });
}

function notEnded(
  told: Told,
  end: Extract<JobEnd, { readonly kind: "late" | "stuck" }>,
  words: LastWords,
  timeoutMs: number,
): UpgradeError {
  if (end.kind === "stuck")
    return new UpgradeError("RUN_FAILED", `${thing(told)} cannot start, and was deleted: ${end.why}`, {
      hint: "mend its manifest or what it needs, and go on with `midflight resume`",
    });
  const why = end.why === undefined ? said(words) : `: ${end.why}${said(words)}`;
  return new UpgradeError(
    "RUN_TIMED_OUT",
    `${thing(told)} did not end within ${timeoutMs / 1_000} s and was deleted${why}`,
    { hint: "give it a longer deadline, or make it faster" },
  );
}
