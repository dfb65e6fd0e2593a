import { messageOf } from "../../errors/message-of.ts";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { ProofResult } from "../../guard/proof.ts";
import type { Verdict } from "../../guard/verdict.ts";
import type { Prober, ProberListener } from "../../ports/prober.ts";
import type { WatchedInstance, Watcher } from "../../ports/watcher.ts";
import type { FromThread, ToThread } from "./messages.ts";

export type GuardThreadOptions = {
  /** Its script; by default the one beside this file. */
  readonly entry?: URL;
  /** Region → who probes it from within, for those that `isRemote`. */
  readonly probers?: Readonly<Record<string, Prober>>;
};

/** The watcher in a thread of its own. */
export const guardThread = (options: GuardThreadOptions = {}): Watcher => {
  const probers = Object.entries(options.probers ?? {});
  const noMoreProbers = new AbortController();
  let worker: Worker | undefined;
  let listener: Parameters<Watcher["start"]>[1] | undefined;
  let started = Promise.withResolvers<void>();
  let stopped: PromiseWithResolvers<void> | undefined;
  let lost: Error | undefined;
  let watched: readonly WatchedInstance[] | undefined;
  let nextId = 1;
  let heardAt = 0;
  let isStopping = false;
  const evidence = new Map<number, PromiseWithResolvers<Verdict>>();
  const proofs = new Map<number, PromiseWithResolvers<ProofResult>>();
  let alive: NodeJS.Timeout | undefined;

  const tell = (message: ToThread): void => worker?.postMessage(message);
  const hear = (message: FromThread): void => {
    heardAt = performance.now();
    switch (message.kind) {
      case "started":
        return started.resolve();
      case "refused":
        return started.reject(refusal(message));
      case "order":
        return options.probers?.[message.region]?.order(message.text);
      case "verdict":
        return isStopping ? undefined : listener?.verdict(message.verdict);
      case "pulse":
        return isStopping ? undefined : listener?.pulse(message.pulse);
      case "evidence":
        evidence.get(message.id)?.resolve(message.verdict);
        return;
      case "proof":
        proofs.get(message.id)?.resolve(message.result);
        return;
      case "stopped":
        return stopped?.resolve();
    }
  };
  const unknown = (reason: string): void =>
    listener?.verdict({ state: "unknown", reason, regions: [], at: Date.now(), streams: [] });

  /** The thread is gone: nobody judges any more, and nothing is proved ever again. */
  const lose = (cause: unknown): void => {
    if (isStopping) return stopped?.resolve();
    if (lost !== undefined) return;
    const why = messageOf(cause);
    lost = new UpgradeError("GUARD_LOST", `the guard's thread ended: ${why}`, {
      hint: "resume the run; its guard starts anew",
      cause,
    });
    clearInterval(alive);
    started.reject(lost);
    for (const waiting of [...evidence.values(), ...proofs.values()]) waiting.reject(lost);
    unknown(lost.message);
  };

  // A thread that hangs says nothing. Two checks in a row, because a main thread that was held up itself has messages waiting.
  const checkAlive = (): void => {
    let missed = 0;
    alive = setInterval(() => {
      missed = performance.now() - heardAt > SILENT_MS ? missed + 1 : 0;
      if (missed === 2) unknown(`the guard's thread has been silent for ${SILENT_MS / 1000} s`);
    }, CHECK_MS);
    alive.unref();
  };

  const startProber = (region: string, prober: Prober): void => {
    const on: ProberListener = {
      line: (text) => tell({ kind: "prober", region, news: { kind: "line", text } }),
      trouble: (why) => tell({ kind: "prober", region, news: { kind: "trouble", why } }),
    };
    prober.start(on, noMoreProbers.signal).catch((error: unknown) => {
      if (!isStopping) started.reject(error);
    });
  };

  const ask = async <T>(
    waiters: Map<number, PromiseWithResolvers<T>>,
    message: (id: number) => ToThread,
    signal: AbortSignal,
  ): Promise<T> => {
    signal.throwIfAborted();
    if (lost !== undefined) throw lost;
    if (worker === undefined || isStopping)
      throw new UpgradeError("GUARD_LOST", "the guard does not run", { hint: "start it before asking" });
    const id = nextId++;
    const waiting = Promise.withResolvers<T>();
    waiters.set(id, waiting);
    const onAbort = (): void => {
      tell({ kind: "abandon", id });
      waiting.reject(signal.reason as Error);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    tell(message(id));
    try {
      return await waiting.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      waiters.delete(id);
    }
  };

  return {
    start(config, on) {
      listener = on;
      started = Promise.withResolvers<void>();
      heardAt = performance.now();
      worker = new Worker(options.entry ?? entryBesideThis(), { name: "guard" });
      worker.on("message", hear);
      worker.on("error", lose);
      worker.on("exit", (status) => lose(`exit ${status}`));
      started.promise.then(checkAlive, () => undefined);
      tell({ kind: "start", config });
      if (watched !== undefined) tell({ kind: "instances", instances: watched });
      for (const [region, prober] of probers) startProber(region, prober);
      return started.promise;
    },
    instances(instances) {
      watched = instances;
      tell({ kind: "instances", instances });
    },
    mark: (mark) => tell({ kind: "mark", mark }),
    evidence: (need, signal) => ask(evidence, (id) => ({ kind: "evidence", id, need }), signal),
    prove: (order, signal) => ask(proofs, (id) => ({ kind: "prove", id, order }), signal),
    async stop() {
      clearInterval(alive);
      noMoreProbers.abort(new Error("the guard stops"));
      // What a prober left open it takes back itself: neither waits for the other.
      const ended = Promise.all(probers.map(([, prober]) => prober.stop()));
      if (worker === undefined || lost !== undefined) return void (await ended);
      if (stopped !== undefined) return stopped.promise;
      isStopping = true;
      stopped = Promise.withResolvers<void>();
      const stoppedError = new UpgradeError("GUARD_LOST", "the guard was stopped", { hint: "ask before stopping it" });
      for (const waiting of [...evidence.values(), ...proofs.values()]) waiting.reject(stoppedError);
      tell({ kind: "stop" });
      const late = setTimeout(() => stopped?.resolve(), STOP_MS);
      await stopped.promise;
      clearTimeout(late);
      await worker.terminate();
      await ended;
    },
  };
};

const refusal = ({ region, code, message, hint }: Extract<FromThread, { kind: "refused" }>): UpgradeError =>
  new UpgradeError(
    "PROBES_REFUSED",
    `the probes of ${region} cannot begin as they are set up: ${message}${code === "" ? "" : ` (${code})`}`,
    { hint: hint === "" ? "look at what they print (kubectl logs), and mend it" : hint },
  );

const SILENT_MS = 2_000;
const CHECK_MS = 500;
/** Probe orders are swept within 3 s; after this they are left to the venue's dead-man switch. */
const STOP_MS = 6_000;

const entryBesideThis = (): URL => {
  if (import.meta.url.endsWith(".ts")) return new URL("./thread.ts", import.meta.url);
  const beside = new URL("./guard-thread.js", import.meta.url);
  return existsSync(beside) ? beside : new URL("../guard-thread.js", import.meta.url);
};
