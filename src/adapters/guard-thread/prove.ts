import type { ProofResult } from "../../guard/proof.ts";
import { foldProof, standingOfProof, startProof, type ProofCount } from "../../guard/proof-judge.ts";
import { cohortOver } from "../../guard/protocol.ts";
import type { PlanGuard } from "../../plan/model.ts";
import type { ProofOrder, WatchedInstance } from "../../ports/watcher.ts";
import { collectBins } from "./bins.ts";
import type { Lag } from "./lag.ts";
import { startPacer } from "./pacer.ts";
import type { ProbeChain, ProbeOutcome } from "./probe-chain.ts";
import type { RegionProbes } from "./region-probes.ts";

export type ProveOptions = {
  readonly guard: PlanGuard;
  readonly regions: readonly RegionProbes[];
  readonly lag: Lag;
  /** Whether the venue itself is in trouble: what fails then is not held against an instance. */
  readonly isDisturbed: () => boolean;
  readonly onOutcome: (instance: WatchedInstance, outcome: ProbeOutcome, cohort: string) => void;
};

/** Probes of a proof come on top of what users ask of their venue: a larger batch takes a little longer rather than much more of it. */
export const FIRST_PER_SEC = 100;
export const EACH_MORE_PER_SEC = 20;
export const MOST_PER_SEC = 300;
/** Instances that have just started are not asked at the full rate at once. */
const WARM_MS = 1_000;
const BIN_MS = 100;

/** Probes instances directly until they are proved, refuted, or out of time. Orders of the proof are cancelled by its own chains. */
export const proveInstances = async (
  order: ProofOrder,
  options: ProveOptions,
  signal: AbortSignal,
): Promise<ProofResult> => {
  const { guard, lag } = options;
  const startedAt = performance.now();
  const regions = options.regions.filter(({ region }) =>
    order.instances.some((instance) => instance.region === region),
  );
  const isSocketWanted = regions.every(({ hasSockets }) => hasSockets);
  const begin = () =>
    startProof(
      order.instances.map(({ id }) => id),
      guard.operations,
      { need: order, baselinePct: guard.baselineAtMostPct, isSocketWanted },
    );
  let proof = begin();
  let restarts = 0;
  const chains = new Map(
    order.instances.map(
      (instance) =>
        [instance.id, options.regions.find(({ region }) => region === instance.region)?.chains() ?? []] as const,
    ),
  );
  if (order.instances.some(({ id }) => (chains.get(id) ?? []).length === 0))
    return {
      kind: "undecided",
      reason: `no probe accounts for ${order.instances.map(({ region }) => region).join(", ")}`,
      outcomes: 0,
    };
  const done = Promise.withResolvers<ProofResult>();
  let silence = "";

  const conclude = (): void => {
    const standing = standingOfProof(proof);
    const ms = Math.round(performance.now() - startedAt);
    if (standing.kind === "proved") done.resolve({ kind: "proved", outcomes: standing.outcomes, ms });
    else if (standing.kind === "refuted") {
      if (!options.isDisturbed())
        done.resolve({
          kind: "refuted",
          reason: standing.reason,
          outcomes: standing.outcomes,
          failed: standing.failed,
          ms,
        });
      else {
        proof = begin();
        restarts++;
      }
    }
    if (ms >= order.deadlineMs)
      done.resolve({ kind: "undecided", reason: undecided(standing, silence, restarts), outcomes: standing.outcomes });
  };

  const bins = collectBins<Sample>(
    BIN_MS,
    () => performance.now(),
    (bin) => {
      proof = foldProof(proof, { from: bin.from, to: bin.to, counts: bin.outcomes.map(countOf) });
      conclude();
    },
  );
  const step = async (instance: WatchedInstance, chain: ProbeChain): Promise<void> => {
    const settle = bins.issue();
    const from = performance.now();
    const outcome = await chain.step(new URL(instance.url).origin);
    const isOurs =
      outcome.kind === "failed" &&
      (outcome.code === "timeout" || outcome.code === "not shown") &&
      lag.since(from) > guard.deadlineMs / 3;
    const cohort = cohortOver(outcome.protocol ?? "REST", chain.account.cohort);
    options.onOutcome(instance, outcome, cohort);
    if (outcome.kind === "none") silence = outcome.why;
    settle(outcome.kind === "none" || isOurs ? undefined : { instance, cohort, outcome });
  };
  // An account trades at one instance at a time, as a user does: several resting orders of his would be another test.
  const all = [...chains.values()].flat();
  const isFree = (candidate: ProbeChain): boolean =>
    candidate.isOpen() || !all.some((other) => other.account === candidate.account && other.isOpen());
  const perSec = Math.min(MOST_PER_SEC, FIRST_PER_SEC + EACH_MORE_PER_SEC * (order.instances.length - 1));
  const onSlot = (slot: number): void => {
    const instance = order.instances[slot % order.instances.length];
    const own = instance === undefined ? [] : (chains.get(instance.id) ?? []);
    const seat = Math.floor(slot / order.instances.length) % Math.max(1, own.length);
    const chain = [...own.slice(seat), ...own.slice(0, seat)].find(
      (candidate) => !candidate.isBusy() && isFree(candidate) && candidate.next() !== undefined,
    );
    if (instance !== undefined && chain !== undefined) void step(instance, chain);
    bins.flush();
  };
  const pacer = startPacer(perSec, onSlot, { warmMs: WARM_MS });
  // Bins stay open while an answer is awaited; time passes all the same.
  const clock = setInterval(conclude, BIN_MS);
  const onAbort = (): void => done.reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await done.promise;
  } finally {
    pacer.stop();
    clearInterval(clock);
    signal.removeEventListener("abort", onAbort);
    void forgetAll(all);
  }
};

type Sample = { readonly instance: WatchedInstance; readonly cohort: string; readonly outcome: ProbeOutcome };

const countOf = ({ instance, cohort, outcome }: Sample): ProofCount => ({
  instance: instance.id,
  release: instance.release,
  operation: outcome.operation,
  cohort,
  issued: 1,
  failed: outcome.kind === "failed" ? 1 : 0,
  ...(outcome.kind === "failed" ? { codes: { [outcome.code]: 1 } } : {}),
});

const undecided = (standing: ReturnType<typeof standingOfProof>, silence: string, restarts: number): string => {
  const missing = standing.kind === "open" ? standing.missing : "nothing was left to show";
  const why = silence === "" ? "" : `; ${silence}`;
  return `${missing}${why}${restarts > 0 ? "; the venue itself was disturbed" : ""}`;
};

// A chain that still waits for an answer has to end first, or it would take up its order again.
const forgetAll = async (chains: readonly ProbeChain[]): Promise<void> => {
  for (const chain of chains) {
    for (let waited = 0; chain.isBusy() && waited < 100; waited++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    chain.forget();
  }
};
