import type { Mark, ProofOrder, WatchConfig, WatchedInstance, Watcher, WatchPulse } from "../../src/ports/watcher.ts";
import type { ProofResult } from "../../src/guard/proof.ts";
import type { Verdict, VerdictState } from "../../src/guard/verdict.ts";

/** What the fake asks of the world that a test plays. All of it is optional: the default world is healthy and its instances are good. */
export type FakeWorld = {
  /** ms since the epoch. Default: 0 for ever. */
  readonly now?: () => number;
  /** Whether evidence of health is there at this moment. Default: true until a verdict other than healthy is said. */
  readonly isHealthy?: () => boolean;
  /** Result of a proof; undefined leaves it open until `settleProof` or the abort. Default: proved. */
  readonly proof?: (order: ProofOrder) => ProofResult | undefined;
};

/** A watcher without timers or luck: it speaks only when it is told to, and answers only from what the world says. */
export type FakeWatcher = Watcher & {
  /** Pushes a verdict. A repeat of the state and regions that hold already is swallowed, as the real one does. Saying `healthy` gives the evidence that is waited for. */
  say(verdict: { readonly state: VerdictState } & Partial<Verdict>): void;
  /** Pushes a pulse. */
  beat(pulse?: Partial<WatchPulse>): void;
  /** Asks the world again: gives evidence and results of proofs that have become due. Call it after each change of the world. */
  look(): void;
  /** Ends an open proof. */
  settleProof(id: string, result: ProofResult): void;
  readonly config: () => WatchConfig | undefined;
  readonly watched: () => readonly WatchedInstance[];
  readonly marks: () => readonly Mark[];
  readonly verdict: () => Verdict;
  /** Ids of proofs that have no result yet. */
  readonly openProofs: () => readonly string[];
  /** How many calls wait for evidence. */
  readonly waiting: () => number;
  readonly stopped: () => boolean;
};

type Waiter<T> = { readonly give: (value: T) => void; readonly drop: (reason: unknown) => void };

export const fakeWatcher = (world: FakeWorld = {}): FakeWatcher => {
  const now = world.now ?? ((): number => 0);
  const told = (state: VerdictState, more: Partial<Verdict> = {}): Verdict => ({
    reason: `the test says ${state}`,
    regions: [],
    at: now(),
    streams: [],
    ...more,
    state,
  });
  let config: WatchConfig | undefined;
  let listener: Parameters<Watcher["start"]>[1] | undefined;
  let watched: readonly WatchedInstance[] = [];
  let marks: readonly Mark[] = [];
  let verdict = told("unknown");
  let isStopped = false;
  const evidence = new Set<Waiter<Verdict>>();
  const proofs = new Map<string, Waiter<ProofResult> & { readonly order: ProofOrder }>();

  const isHealthy = (): boolean => world.isHealthy?.() ?? (verdict.state === "healthy" || verdict.state === "unknown");
  const proofOf = (order: ProofOrder): ProofResult | undefined =>
    world.proof === undefined ? { kind: "proved", outcomes: 276, ms: 0 } : world.proof(order);
  const settleProof = (id: string, result: ProofResult): void => {
    const open = proofs.get(id);
    proofs.delete(id);
    open?.give(result);
  };
  const giveEvidence = (): void => {
    const healthy = verdict.state === "healthy" ? verdict : told("healthy");
    for (const waiter of evidence) waiter.give(healthy);
  };
  const look = (): void => {
    if (config === undefined || isStopped) return;
    if (isHealthy()) giveEvidence();
    for (const [id, { order }] of proofs) {
      const result = proofOf(order);
      if (result !== undefined) settleProof(id, result);
    }
  };
  const say: FakeWatcher["say"] = (said) => {
    if (isStopped) return;
    const isSame =
      said.state === verdict.state &&
      (said.regions ?? []).join() === verdict.regions.join() &&
      said.reason === undefined;
    verdict = told(said.state, said);
    if (!isSame) listener?.verdict(verdict);
    if (verdict.state === "healthy") giveEvidence();
  };

  return {
    start(given, on) {
      config = given;
      listener = on;
      return Promise.resolve();
    },
    instances(instances) {
      watched = instances;
    },
    mark(mark) {
      marks = [...marks, mark];
    },
    evidence(_need, signal) {
      const wait = untilAborted(signal, evidence);
      look();
      return wait;
    },
    prove(order, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<ProofResult>();
      const drop = (): void => {
        proofs.delete(order.id);
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        drop();
        return promise;
      }
      signal.addEventListener("abort", drop, { once: true });
      proofs.set(order.id, {
        order,
        give: (result) => {
          signal.removeEventListener("abort", drop);
          resolve(result);
        },
        drop: reject,
      });
      look();
      return promise;
    },
    stop() {
      isStopped = true;
      return Promise.resolve();
    },
    say,
    beat(pulse = {}) {
      if (!isStopped)
        listener?.pulse({ at: now(), streams: [], operationsPerSec: 0, failed: 0, failures: [], ...pulse });
    },
    look,
    settleProof,
    config: () => config,
    watched: () => watched,
    marks: () => marks,
    verdict: () => verdict,
    openProofs: () => [...proofs.keys()],
    waiting: () => evidence.size,
    stopped: () => isStopped,
  };
};

const untilAborted = <T>(signal: AbortSignal, waiters: Set<Waiter<T>>): Promise<T> => {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  if (signal.aborted) {
    reject(signal.reason as Error);
    return promise;
  }
  const leave = (): void => {
    waiters.delete(waiter);
    signal.removeEventListener("abort", onAbort);
  };
  const waiter: Waiter<T> = {
    give: (value) => {
      leave();
      resolve(value);
    },
    drop: (reason) => {
      leave();
      reject(reason);
    },
  };
  const onAbort = (): void => waiter.drop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  waiters.add(waiter);
  return promise;
};
