import { messageOf } from "../../../errors/message-of.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { ApiFailure } from "../api/api-failure.ts";
import type { Api } from "../api/api.ts";
import { troubleOfPods } from "../explain.ts";
import { follow } from "../api/follow.ts";
import type { Job, Listed, Pod } from "../api/objects.ts";

export type JobPlace = { readonly api: Api; readonly clock: Clock };

export type JobEnd =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly why: string }
  /** Its pod will never start. */
  | { readonly kind: "stuck"; readonly why: string }
  | { readonly kind: "late"; readonly why: string | undefined };

/** How it ended, if its controller says so. */
export function endIn({ status }: Job): Extract<JobEnd, { readonly kind: "succeeded" | "failed" }> | undefined {
  const holds = (status?.conditions ?? []).filter((condition) => condition.status === "True");
  if (holds.some(({ type }) => type === "Complete")) return { kind: "succeeded" };
  const failure = holds.find(({ type }) => type === "Failed");
  return failure === undefined
    ? undefined
    : { kind: "failed", why: failure.message ?? failure.reason ?? "nobody says why" };
}

/**
 * Resolves when the Job has ended, when its pods can never start, or at the deadline; it watches, so nothing is asked while nothing happens.
 * Rejects with `ApiFailure` when the API was silent at the deadline, `RUN_FAILED` when somebody deleted the Job, and with the reason of the abort.
 */
export async function endOf(place: JobPlace, name: string, timeoutMs: number, signal: AbortSignal): Promise<JobEnd> {
  const stop = new AbortController();
  const within = AbortSignal.any([signal, stop.signal]);
  const { promise, resolve, reject } = Promise.withResolvers<JobEnd>();
  const seen: { trouble?: string | undefined; silence?: ApiFailure | undefined } = {};
  const silence = (failure: ApiFailure): void => void (seen.silence = failure);
  const jobSeen = ([job]: readonly Job[]): void => {
    seen.silence = undefined;
    if (job === undefined) return reject(deleted(place, name));
    const end = endIn(job);
    if (end !== undefined) resolve(end);
  };
  const podsSeen = (pods: readonly Pod[]): void => {
    // One that started and crashes is its controller's to try again, as the manifest says.
    const trouble = troubleOfPods(pods.filter(({ status }) => status?.phase === "Pending"));
    seen.trouble = trouble?.text;
    if (trouble?.isHopeless === true) resolve({ kind: "stuck", why: trouble.text });
  };
  const followers = [
    follow<Job>(
      place,
      { resource: "jobs", query: { fieldSelector: `metadata.name=${name}` } },
      { items: jobSeen, silence },
      within,
    ),
    follow<Pod>(place, { resource: "pods", query: podsOf(name) }, { items: podsSeen, silence }, within),
  ];
  for (const follower of followers) follower.catch(reject);
  place.clock.sleep(timeoutMs, within).then(
    () => (seen.silence === undefined ? resolve({ kind: "late", why: seen.trouble }) : reject(seen.silence)),
    () => undefined,
  );
  try {
    return await promise;
  } finally {
    stop.abort();
    await Promise.allSettled(followers);
  }
}

const podsOf = (name: string) => ({ labelSelector: `job-name=${name}` });

const deleted = ({ api }: JobPlace, name: string): UpgradeError =>
  new UpgradeError(
    "RUN_FAILED",
    `jobs/${name} in namespace ${api.namespace} of ${api.context} was deleted by somebody`,
    {
      hint: "find out who deleted it, and go on with `midflight resume`: it is made anew",
    },
  );

export type LastWords = { readonly exitStatus: number | undefined; readonly output: string };

const TAIL_LINES = 200;
const MOST_CHARACTERS = 16_384;
const WORDS_MS = 10_000;

/** What its newest pod printed last, and how it ended. Nothing where that cannot be had: it only explains. */
export async function lastWords({ api }: JobPlace, name: string, container: string): Promise<LastWords> {
  const signal = AbortSignal.timeout(WORDS_MS);
  const listed = await api
    .send<Listed<Pod>>({ verb: "list", resource: "pods", query: podsOf(name) }, signal)
    .catch(() => ({ items: [] }));
  const newest = (listed.items ?? []).toSorted((a, b) => (bornAt(a) < bornAt(b) ? 1 : -1))[0];
  if (newest === undefined) return { exitStatus: undefined, output: "" };
  const status = newest.status?.containerStatuses?.find((one) => one.name === container);
  const query = { container, tailLines: String(TAIL_LINES) };
  const output = await api
    .text({ verb: "get", resource: "pods", subresource: "log", name: newest.metadata.name, query }, signal)
    .catch((error: unknown) => `(its output cannot be read: ${messageOf(error)})`);
  return {
    exitStatus: (status?.state?.terminated ?? status?.lastState?.terminated)?.exitCode,
    output: output.slice(-MOST_CHARACTERS),
  };
}

const bornAt = ({ metadata }: Pod): string => metadata.creationTimestamp ?? "";

const GONE_MS = 60_000;

/** Resolves when no pod of the Job is left, or after a minute: the kubelet of a node that is gone tells nothing. */
export async function untilGone(place: JobPlace, name: string): Promise<void> {
  const stop = AbortSignal.timeout(GONE_MS);
  const gone = new AbortController();
  const items = (pods: readonly Pod[]): void => {
    if (pods.length === 0) gone.abort();
  };
  const query = podsOf(name);
  await follow<Pod>(
    place,
    { resource: "pods", query },
    { items, silence: () => undefined },
    AbortSignal.any([stop, gone.signal]),
  ).catch((error: unknown) => {
    if (!stop.aborted && !gone.signal.aborted) throw error;
  });
}
