import { randomUUID } from "node:crypto";
import { messageOf } from "../../../errors/message-of.ts";
import type { ProbeFill } from "../../../guard/probe-fill.ts";
import type { ProofResult } from "../../../guard/proof.ts";
import type { ProofOrder, WatchConfig } from "../../../ports/watcher.ts";
import { watchLag, type Lag } from "../lag.ts";
import { proveInstances } from "../prove.ts";
import { regionProbes, type RegionProbes } from "../region-probes.ts";
import type { Sample } from "../probe-counts.ts";
import type { ProberBrief } from "./prober-brief.ts";
import type { ProberLine, SumKey } from "./prober-line.ts";
import { ALONE_MS, readOrders, type ProberOrders } from "./prober-orders.ts";
import { startSums } from "./sums.ts";

export type ProberOptions = {
  readonly brief: ProberBrief;
  /** With its secrets. Throws what is wrong with them. */
  readonly region: () => WatchConfig["regions"][number];
  /** The newest orders, as they stand; undefined: none. */
  readonly orders: () => string | undefined;
  readonly print: (line: string) => void;
  /** File for what probes over HTTP leave open. */
  readonly left?: string;
};

const LOOK_MS = 50;
/** Whoever probes prints with every bin; a line comes at least this often. */
const QUIET_MS = 250;

/**
 * Probes a region as it is ordered to, and prints what comes of it. Without a word from its guard for a while it takes back what it left open,
 * and waits. Resolves when it has stopped.
 */
export const startProber = (options: ProberOptions): { readonly stop: () => Promise<void> } => {
  const { brief } = options;
  const boot = randomUUID().slice(0, 8);
  const sums = startSums();
  const lag = watchLag();
  const silent = new Map<string, string>();
  const fills = new Map<string, ProbeFill>();
  let leaving: ReadonlySet<string> = new Set();
  let seq = 0;
  let printedTo = performance.now();
  let printedAt = -Infinity;
  let text: string | undefined;
  let orders: ProberOrders | undefined;
  let readAt = 0;
  let whole = 0;
  let work: Work | undefined;
  let refused: ProberLine["refused"];
  let isTurning = false;
  let isStopped = false;

  const print = (bin: { readonly from: number; readonly to: number } = { from: printedTo, to: printedTo }): void => {
    const isWhole = orders !== undefined && orders.whole > whole;
    if (isWhole) whole = orders?.whole ?? whole;
    const at = performance.now();
    const schedule = work?.probes.schedule();
    const line: ProberLine = {
      kind: "probes",
      boot,
      seq: seq++,
      at,
      ...(orders === undefined ? {} : { order: { session: orders.session, number: orders.number, readAt } }),
      ...bin,
      sums: sums.take(isWhole),
      ...(isWhole ? { isWhole } : {}),
      ...(silent.size === 0 ? {} : { silent: [...silent] }),
      ...(fills.size === 0 ? {} : { fills: [...fills.values()] }),
      ...(leaving.size === 0 ? {} : { leaving: [...leaving] }),
      ...(schedule === undefined ? {} : { schedule }),
      ...(work === undefined || work.results().length === 0 ? {} : { proofs: work.results() }),
      ...(work === undefined ? { isIdle: true } : {}),
      ...(refused === undefined ? {} : { refused }),
    };
    printedTo = bin.to;
    printedAt = at;
    silent.clear();
    options.print(JSON.stringify(line));
  };

  const note = (sample: Sample): void => {
    const { outcome, cohort, target, isSlow, isPassedOver } = sample;
    sums.add({
      kind: "sample",
      outcome: told(outcome),
      cohort,
      ...(target === undefined ? {} : { target }),
      ...(isSlow ? { isSlow } : {}),
      ...(isPassedOver === true ? { isPassedOver } : {}),
    });
  };

  const begin = async (): Promise<Work | undefined> => {
    try {
      return await startWork({
        brief,
        region: options.region(),
        lag,
        ...(options.left === undefined ? {} : { left: options.left }),
        onSamples({ from, to, samples }) {
          for (const sample of samples) note(sample);
          // What was tried before it went to rest is long told.
          if (to > printedTo) print({ from, to });
        },
        onSilence: (operation, why) => void silent.set(operation, why),
        onFill: (fill) => void fills.set(fill.clOrdId, fill),
        onLeaving: (ids) => (leaving = ids),
        add: (key) => sums.add(key),
      });
    } catch (error) {
      refused = refusalOf(error);
      return undefined;
    }
  };
  const rest = async (): Promise<void> => {
    const ended = work;
    work = undefined;
    leaving = new Set();
    await ended?.stop();
  };

  const read = (): void => {
    const found = options.orders();
    if (found === undefined || found === text) return;
    text = found;
    const next = readOrders(found);
    if (next === undefined || (next.session === orders?.session && next.number <= orders.number)) return;
    orders = next;
    readAt = performance.now();
    work?.follow(orders);
  };
  const turn = async (): Promise<void> => {
    const isAlone = orders === undefined || performance.now() - readAt > ALONE_MS;
    if (isAlone && work !== undefined) await rest();
    if (isAlone || work !== undefined || refused !== undefined) return;
    const begun = await begin();
    if (orders !== undefined) begun?.follow(orders);
    work = begun;
  };
  const look = (): void => {
    read();
    if (performance.now() - printedAt >= QUIET_MS) print();
    if (isTurning || isStopped) return;
    isTurning = true;
    void turn().finally(() => (isTurning = false));
  };
  const timer = setInterval(look, LOOK_MS);
  look();

  return {
    async stop() {
      isStopped = true;
      while (isTurning) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      await rest();
      clearInterval(timer);
      lag.stop();
      print();
    },
  };
};

/** Undefined texts and turns of a connection are nothing to count by. */
const told = (outcome: Sample["outcome"]): Sample["outcome"] => {
  const { isClosing: _isClosing, ...rest } = outcome;
  return rest.kind === "none" ? { ...rest, why: "" } : rest;
};

const refusalOf = (error: unknown): NonNullable<ProberLine["refused"]> => {
  const { code, hint } = error as { readonly code?: unknown; readonly hint?: unknown };
  return {
    code: typeof code === "string" ? code : "",
    message: messageOf(error),
    hint: typeof hint === "string" ? hint : "",
  };
};

/** Probes at work, for as long as a guard is heard. */
type Work = {
  readonly probes: RegionProbes;
  follow(orders: ProberOrders): void;
  /** Of proofs that are still ordered. */
  results(): readonly { readonly id: string; readonly result: ProofResult }[];
  stop(): Promise<void>;
};

type WorkOptions = Pick<
  Parameters<typeof regionProbes>[0],
  "onSamples" | "onSilence" | "onFill" | "onLeaving" | "left"
> & {
  readonly brief: ProberBrief;
  readonly region: WatchConfig["regions"][number];
  readonly lag: Lag;
  readonly add: (key: SumKey) => void;
};

const startWork = async ({ brief, region, lag, add, ...on }: WorkOptions): Promise<Work> => {
  const { guard } = brief;
  const { probe, accounts, cohorts = [], rules } = region;
  const proofs = new Map<string, { readonly abort: AbortController; result?: ProofResult }>();
  const probes = regionProbes({
    ...on,
    region: brief.region,
    probe: probe ?? brief.probe,
    accounts,
    cohorts,
    ...(rules === undefined ? {} : { rules }),
    otherOrigins: brief.otherOrigins,
    guard,
    prefix: brief.prefix,
    lag,
    onOutcome: () => undefined,
    onFarewell: (instance, operation, code) => add({ kind: "farewell", instance, operation, code }),
  });
  const prove = (order: ProofOrder): void => {
    const abort = new AbortController();
    const proof: { readonly abort: AbortController; result?: ProofResult } = { abort };
    proofs.set(order.id, proof);
    proveInstances(
      order,
      {
        guard,
        regions: [probes],
        lag,
        // The guard knows, and asks again.
        isDisturbed: () => false,
        onOutcome: (instance, outcome, cohort) =>
          add({ kind: "proof", outcome: told(outcome), cohort, target: instance.id }),
      },
      abort.signal,
    ).then(
      (result) => (proof.result = result),
      () => undefined,
    );
  };
  await probes.clean();
  probes.start();
  return {
    probes,
    follow(orders) {
      probes.instances(orders.instances);
      const wanted = new Set(orders.proofs.map(({ id }) => id));
      for (const order of orders.proofs) if (!proofs.has(order.id)) prove(order);
      for (const [id, { abort }] of proofs)
        if (!wanted.has(id)) {
          abort.abort(new Error("no longer asked for"));
          proofs.delete(id);
        }
    },
    results: () => [...proofs].flatMap(([id, { result }]) => (result === undefined ? [] : [{ id, result }])),
    async stop() {
      for (const { abort } of proofs.values()) abort.abort(new Error("the prober stops"));
      await probes.stop();
    },
  };
};
