import { Agent } from "undici";
import type { Count } from "../../guard/count.ts";
import type { Operation } from "../../plan/model.ts";
import type { Reach } from "../../guard/loss.ts";
import type { WatchedInstance } from "../../ports/watcher.ts";
import { closerLook } from "./closer-look.ts";
import { deltasBetween, readCounters, seriesBy, type CountedBy, type Delta } from "./counters.ts";
import { withoutOne } from "./sources/forgiving.ts";
import type { LiveSink, LiveSource, SourceClock } from "./sources/live-source.ts";
import { sumCounts } from "./sources/sum-counts.ts";

export type ScraperOptions = SourceClock &
  CountedBy &
  Omit<LiveSink, "onSight"> & {
    readonly path: string;
    readonly metric: string;
  };

const DEADLINE_MS = 1_000;
/** For so long after this thread stood still, connections from before it are met. */
const AWAKE_MS = 250;

type Target = {
  instance: WatchedInstance;
  before: ReadonlyMap<string, number> | undefined;
  isAsked: boolean;
  missed: number;
  state: "ok" | "gone" | { readonly unreadable: string };
  fresh: readonly Delta[];
  forgiven: readonly { readonly operation: Operation; readonly code: string }[];
};

/** Reads the counters of every instance, and reports what was counted since the last round and who could not be reached. */
export const startScraper = (options: ScraperOptions): LiveSource => {
  const agent = new Agent({
    connections: 4,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    connect: { timeout: DEADLINE_MS },
    headersTimeout: 5_000,
    bodyTimeout: 5_000,
  });
  const look = closerLook();
  const seriesOf = seriesBy(options);
  let targets: readonly Target[] = [];
  let lastAt = options.now();
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
    if (target.instance.url === url) note(target, reply, options.lagSince(from - AWAKE_MS) > DEADLINE_MS / 4);
  };

  const note = (target: Target, reply: Reply, isOurFault: boolean): void => {
    if (reply.kind !== "text") {
      // Also a connection that the other side closed while we stood still: it shows when it is used again.
      if (isOurFault) return;
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
    const [at, from] = [options.now(), performance.now()];
    const pace = look.pace(from);
    const asked = Promise.all(targets.map((target, index) => ask(target, (pace.spreadMs * index) / targets.length)));
    await Promise.race([asked, pause(pace.closedMs)]);
    if (isStopped) return;
    const counts = targets.flatMap(takeCounts);
    options.onReach(reachOf(at, targets));
    options.onBin({ kind: "bin", at, ms: at - lastAt, counts });
    lastAt = at;
    look.note(counts, performance.now());
    // A round that was held up is followed by the next one at once, and never by two.
    arm(from + pace.everyMs - performance.now());
  };
  let timer: NodeJS.Timeout;
  const arm = (afterMs: number): void => {
    timer = setTimeout(() => void round(), Math.max(0, afterMs));
  };

  arm(look.pace(performance.now()).everyMs);
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
      clearTimeout(timer);
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
    const rest = withoutOne(deltas, (delta) => delta.operation === operation && delta.code === code);
    deltas = rest ?? deltas;
    return rest === undefined;
  });
  return deltas.filter(({ count }) => count > 0);
};

const takeCounts = (target: Target): readonly Count[] => {
  const deltas = withoutForgiven(target);
  target.fresh = [];
  const { region, release, side, inTraffic } = target.instance;
  const place = { region, release, side, isExposed: inTraffic };
  return sumCounts(deltas.map((delta) => ({ ...delta, place })));
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
