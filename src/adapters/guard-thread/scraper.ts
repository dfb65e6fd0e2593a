import { Agent } from "undici";
import type { Count, CountBin } from "../../guard/count.ts";
import type { Operation } from "../../plan/model.ts";
import type { Reach } from "../../guard/loss.ts";
import type { WatchedInstance } from "../../ports/watcher.ts";
import type { Rules } from "../../guard/rules.ts";
import { deltasBetween, readCounters, seriesBy, type Delta } from "./counters.ts";

/** Reads the counters of every instance, and reports what was counted since the last round and who could not be reached. */
export type Scraper = {
  instances(instances: readonly WatchedInstance[]): void;
  /** One failure in the instance's counter is no user's: it is left out of the next bin. */
  forgive(instance: string, operation: Operation, code: string): void;
  stop(): Promise<void>;
};

export type ScraperOptions = {
  readonly path: string;
  readonly metric: string;
  readonly rules: Rules;
  /** Those that are counted. */
  readonly operations: readonly Operation[];
  /** Wall clock of this thread, ms. */
  readonly now: () => number;
  /** Longest stall of this thread since a monotonic time: a missed deadline is no news then. */
  readonly lagSince: (from: number) => number;
  readonly onBin: (bin: CountBin) => void;
  readonly onReach: (reach: Reach) => void;
  /** Counted codes that no rule names. */
  readonly onUnlisted: (seen: NonNullable<Delta["unlisted"]>, times: number) => void;
};

const EVERY_MS = 100;
/** Instances are asked one after the other over this time: all at once they would answer us while users wait. */
const SPREAD_MS = 70;
/** The bin is closed after this time; who answers later is counted in the next one. */
const ROUND_MS = 85;
const DEADLINE_MS = 1_000;

type Target = {
  instance: WatchedInstance;
  before: ReadonlyMap<string, number> | undefined;
  isAsked: boolean;
  missed: number;
  state: "ok" | "gone" | { readonly unreadable: string };
  fresh: readonly Delta[];
  forgiven: readonly { readonly operation: Operation; readonly code: string }[];
};

export const startScraper = (options: ScraperOptions): Scraper => {
  const agent = new Agent({
    connections: 4,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    connect: { timeout: DEADLINE_MS },
    headersTimeout: 5_000,
    bodyTimeout: 5_000,
  });
  const seriesOf = seriesBy(options.rules, options.operations);
  let targets: readonly Target[] = [];
  let lastAt = options.now();
  let isRunning = false;
  let isStopped = false;

  const ask = async (target: Target, afterMs: number): Promise<void> => {
    if (afterMs > 0) await pause(afterMs);
    if (isStopped || target.isAsked) return;
    const { url } = target.instance;
    const from = performance.now();
    target.isAsked = true;
    const reply = await readText(agent, url, options.path);
    target.isAsked = false;
    // The address was taken over by another instance meanwhile.
    if (target.instance.url === url) note(target, reply, options.lagSince(from) > DEADLINE_MS / 4);
  };

  const note = (target: Target, reply: Reply, isOurFault: boolean): void => {
    if (reply.kind === "silent" && isOurFault) return;
    if (reply.kind !== "text") {
      target.missed++;
      // One missed deadline is a slow instance; a refused connection is nobody.
      if (reply.kind === "refused" || target.missed > 1) target.state = "gone";
      return;
    }
    target.missed = 0;
    const after = reply.status === 200 ? readCounters(reply.text, options.metric) : `HTTP ${reply.status}`;
    if (typeof after === "string") {
      target.state = { unreadable: after };
      target.before = undefined;
      return;
    }
    const deltas = target.before === undefined ? undefined : deltasBetween(target.before, after, seriesOf);
    target.before = after;
    target.state = "ok";
    if (deltas === undefined) return;
    target.fresh = [...target.fresh, ...deltas];
    for (const { unlisted, count } of deltas) if (unlisted !== undefined) options.onUnlisted(unlisted, count);
  };

  const round = async (): Promise<void> => {
    if (isRunning || isStopped) return;
    isRunning = true;
    const at = options.now();
    const asked = Promise.all(targets.map((target, index) => ask(target, (SPREAD_MS * index) / targets.length)));
    await Promise.race([asked, pause(ROUND_MS)]);
    isRunning = false;
    if (isStopped) return;
    options.onReach(reachOf(at, targets));
    options.onBin({ kind: "bin", at, ms: at - lastAt, counts: targets.flatMap(takeCounts) });
    lastAt = at;
  };

  const timer = setInterval(() => void round(), EVERY_MS);
  return {
    instances(instances) {
      targets = instances.map((instance) => {
        const known = targets.find(
          (target) => target.instance.id === instance.id && target.instance.url === instance.url,
        );
        if (known === undefined)
          return { instance, before: undefined, isAsked: false, missed: 0, state: "ok", fresh: [], forgiven: [] };
        known.instance = instance;
        return known;
      });
    },
    forgive(id, operation, code) {
      const target = targets.find(({ instance }) => instance.id === id);
      if (target !== undefined) target.forgiven = [...target.forgiven, { operation, code }];
    },
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await agent.destroy();
    },
  };
};

type Reply =
  | { readonly kind: "text"; readonly status: number; readonly text: string }
  | { readonly kind: "refused" }
  | { readonly kind: "silent" };

const readText = async (agent: Agent, origin: string, path: string): Promise<Reply> => {
  const gaveUp = new AbortController();
  const timer = setTimeout(() => gaveUp.abort(), DEADLINE_MS);
  try {
    const { statusCode, body } = await agent.request({ origin, path, method: "GET", signal: gaveUp.signal });
    return { kind: "text", status: statusCode, text: await body.text() };
  } catch {
    return { kind: gaveUp.signal.aborted ? "silent" : "refused" };
  } finally {
    clearTimeout(timer);
  }
};

const reachOf = (at: number, targets: readonly Target[]): Reach => ({
  kind: "reach",
  at,
  gone: targets.filter(({ state }) => state === "gone").map(({ instance }) => instance.id),
  unreadable: targets.flatMap(({ instance, state }) =>
    typeof state === "string" ? [] : [{ id: instance.id, why: state.unreadable }],
  ),
});

const withoutForgiven = (target: Target): readonly Delta[] => {
  let deltas = target.fresh;
  target.forgiven = target.forgiven.filter(({ operation, code }) => {
    const index = deltas.findIndex((delta) => delta.operation === operation && delta.code === code && delta.count > 0);
    deltas = deltas.map((delta, place) => (place === index ? { ...delta, count: delta.count - 1 } : delta));
    return index < 0;
  });
  return deltas.filter(({ count }) => count > 0);
};

type Sum = {
  issued: number;
  failed: number;
  asked: number;
  refused: number;
  lost: number;
  codes: Record<string, number>;
};

const takeCounts = (target: Target): readonly Count[] => {
  const deltas = withoutForgiven(target);
  target.fresh = [];
  const { region, release, side, inTraffic } = target.instance;
  const counts = new Map<string, Sum & { readonly delta: Delta }>();
  for (const delta of deltas) {
    if (delta.outcome === "none" && delta.refusal === "none") continue;
    const key = `${delta.operation} ${delta.cohort}`;
    const count = counts.get(key) ?? { issued: 0, failed: 0, asked: 0, refused: 0, lost: 0, codes: {}, delta };
    count.asked += delta.count;
    if (delta.refusal !== "none") count.refused += delta.count;
    if (delta.refusal === "lost") count.lost += delta.count;
    if (delta.outcome !== "none") count.issued += delta.count;
    if (delta.outcome === "failed") {
      count.failed += delta.count;
      count.codes[delta.code] = (count.codes[delta.code] ?? 0) + delta.count;
    }
    counts.set(key, count);
  }
  return [...counts.values()].map(({ delta, ...count }) => ({
    ...count,
    operation: delta.operation,
    cohort: delta.cohort,
    region,
    release,
    side,
    source: "live",
    isExposed: inTraffic,
  }));
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
