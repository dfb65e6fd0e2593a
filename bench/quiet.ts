import { dirname, join } from "node:path";
import type { CliIo } from "../src/cli/io.ts";
import { loadFiles } from "../src/cli/files/load.ts";
import { wire } from "../src/cli/wiring/wire.ts";
import { USER_UIDS } from "../src/demo/venue/accounts.ts";
import type { TrafficSummary } from "../src/demo/traffic/report.ts";
import type { Users } from "../src/demo/users.ts";
import type { Verdict, VerdictState } from "../src/guard/verdict.ts";
import type { WatchedInstance } from "../src/ports/watcher.ts";
import { systemClock } from "../src/adapters/system/clock.ts";
import type { World } from "../src/runtime/world.ts";
import type { Bench, Stage } from "./bench.ts";
import { pause } from "./pause.ts";
import { decimal, largest, median, ms, sum } from "./spread.ts";
import { tradingVenue, type TradingVenue } from "./trading-venue.ts";

/**
 * `watching`: nothing was changed. `placebo`: the guard is told that one instance of every region is new, and nothing is: it is as
 * suspicious as in an upgrade, and there is nothing to find.
 */
type Scene = "watching" | "placebo";

/** A verdict other than healthy, after the first healthy one. */
type Alarm = { readonly atS: number; readonly scene: Scene; readonly state: VerdictState; readonly reason: string };

const SCENE_MS = 60_000;
/** Users are replaced by others now and then: each remembers all of his orders. */
const SHIFT_MS = 5 * 60_000;
const OVERLAP_MS = 3_000;

/** The guard's real thread over healthy traffic with its ordinary noise: how often it would have turned a good upgrade back. */
export const quiet: Bench = {
  name: "quiet",
  about: "false alarms of the guard over healthy traffic",
  run: async (stage) => {
    const { options, publish, say } = stage;
    const minutes = options.minutes ?? (options.isQuick ? 1 : 60);
    await using venue = await tradingVenue(String(options.firstSeed), stage.dir);
    const trading = letTrade(venue, stage);
    await trading.first;
    try {
      const seen = await watch(venue, minutes, stage);
      const traffic = await trading.end();
      const { alarms } = seen;
      const waits = seen.evidenceMs.filter((one) => one !== null);
      await publish({
        name: "quiet",
        settings: { minutes, ratePerSec: options.ratePerSec, sceneMs: SCENE_MS, probesPerSec: seen.probesPerSec },
        figures: [
          {
            figure: `false alarms in ${decimal(seen.minutes, seen.minutes < 10 ? 1 : 0)} minutes of healthy traffic`,
            measured: `${alarms.length} (${alarms.filter(({ state }) => state !== "unknown").length} that would act), ${traffic.operations} operations, ${traffic.planted} failed by the seeded noise, ${traffic.failed} otherwise`,
            goal: "0 in an hour",
            ok: alarms.length === 0 && seen.firstHealthyMs !== null,
          },
        ],
        tables: [
          {
            title: "Evidence that a gate would have asked for (rates of 10 % excluded with 99 %)",
            head: ["scenes", "with evidence", "median wait", "longest wait"],
            rows: [[String(seen.evidenceMs.length), String(waits.length), ms(median(waits)), ms(largest(waits))]],
          },
          {
            title: "Alarms",
            head: ["after, s", "scene", "verdict", "reason"],
            rows: alarms.map(({ atS, scene, state, reason }) => [decimal(atS, 1), scene, state, reason]),
          },
        ],
        raw: { ...seen, traffic },
      });
    } finally {
      say("stopping the users and the venue");
      await trading.end();
    }
  },
};

type Seen = {
  readonly minutes: number;
  readonly probesPerSec: number;
  /** From the start; null if it never was. */
  readonly firstHealthyMs: number | null;
  /** Of the time after that, how long the guard said anything but healthy. */
  readonly unhealthyMs: number;
  /** Of each scene, how long a gate would have waited for positive evidence; null where the scene was over before. */
  readonly evidenceMs: readonly (number | null)[];
  readonly alarms: readonly Alarm[];
};

async function watch(venue: TradingVenue, minutes: number, { signal, say }: Stage): Promise<Seen> {
  const io = { cwd: dirname(dirname(venue.plan)) } as CliIo;
  const env = { ...process.env, ...venue.variables };
  const loaded = await loadFiles(io, {
    plan: venue.plan,
    environment: venue.environment,
    releases: join(dirname(venue.plan), "releases.yaml"),
  });
  const stateDir = join(dirname(venue.environment), ".midflight");
  const { world } = await wire(loaded, { env, cwd: io.cwd, stateDir, clock: systemClock, run: "quiet" });
  const instances = await standing(world, Object.keys(loaded.environment.regions), signal);
  const log = new Log(say);
  await world.watcher.start(world.watch, { verdict: (verdict) => log.take(verdict), pulse: () => {} });
  const evidenceMs: (number | null)[] = [];
  const since = performance.now();
  try {
    for (let turn = 0; performance.now() - since < minutes * 60_000; turn += 1) {
      const scene: Scene = turn % 2 === 0 ? "watching" : "placebo";
      log.begin(scene);
      world.watcher.instances(scene === "watching" ? instances : withPlacebo(instances, turn));
      world.watcher.mark({
        id: `scene-${turn}`,
        cause:
          scene === "watching"
            ? { kind: "start" }
            : { kind: "instances", component: "gateway", regions: Object.keys(loaded.environment.regions) },
      });
      const left = minutes * 60_000 - (performance.now() - since);
      evidenceMs.push(await evidenceWithin(world, Math.min(SCENE_MS, left), signal));
    }
  } finally {
    await world.watcher.stop();
  }
  return {
    minutes: (performance.now() - since) / 60_000,
    probesPerSec: loaded.plan.guard.probesPerSec,
    evidenceMs,
    ...log.seen(),
  };
}

/** What a gate asks for before each move. */
const GATE = { excludePct: 10, confidencePct: 99 };

/** Lets a scene last, and asks for evidence in it, as a run does after a change. */
async function evidenceWithin(world: World, durationMs: number, signal: AbortSignal): Promise<number | null> {
  const since = performance.now();
  const over = new AbortController();
  const waited = world.watcher.evidence(GATE, AbortSignal.any([over.signal, signal])).then(
    () => Math.round(performance.now() - since),
    () => null,
  );
  await pause(durationMs, signal);
  over.abort();
  return waited;
}

/** Who serves users now, as a run sees it. */
async function standing(
  world: World,
  regions: readonly string[],
  signal: AbortSignal,
): Promise<readonly WatchedInstance[]> {
  const gateway = world.workloads["gateway"];
  if (gateway === undefined) throw new Error("the environment has no gateway");
  const states = await Promise.all(regions.map((region) => gateway.workload.observe(region, signal)));
  const found = states.flatMap(({ region, instances }) =>
    instances.map(({ id, release, address, weightPct }): WatchedInstance => ({
      id,
      component: "gateway",
      region,
      release,
      side: "old",
      url: `http://${address}`,
      inTraffic: weightPct > 0,
    })),
  );
  if (found.length === 0) throw new Error("no gateway runs");
  return found;
}

/** Another instance of every region each time. */
const withPlacebo = (instances: readonly WatchedInstance[], turn: number): readonly WatchedInstance[] => {
  const regions = Map.groupBy(instances, ({ region }) => region);
  const chosen = new Set([...regions.values()].map((members) => members[turn % members.length]));
  return instances.map((one) => (chosen.has(one) ? { ...one, side: "new" } : one));
};

/** What the guard said. A verdict is told when it changes, so the last one stands until the next. */
class Log {
  private readonly say: (text: string) => void;
  private readonly since = performance.now();
  private readonly alarms: Alarm[] = [];
  private scene: Scene = "watching";
  private last: VerdictState = "unknown";
  private lastAt = performance.now();
  private firstHealthyMs: number | null = null;
  private unhealthyMs = 0;

  constructor(say: (text: string) => void) {
    this.say = say;
  }

  begin(scene: Scene): void {
    this.scene = scene;
  }

  take({ state, reason }: Verdict): void {
    if (state === this.last) return;
    this.settle();
    this.last = state;
    if (state === "healthy") this.firstHealthyMs ??= Math.round(this.lastAt - this.since);
    else if (this.firstHealthyMs !== null || state !== "unknown")
      this.alarm({ atS: (this.lastAt - this.since) / 1_000, scene: this.scene, state, reason });
  }

  seen(): Pick<Seen, "firstHealthyMs" | "unhealthyMs" | "alarms"> {
    this.settle();
    return { firstHealthyMs: this.firstHealthyMs, unhealthyMs: Math.round(this.unhealthyMs), alarms: this.alarms };
  }

  private settle(): void {
    const now = performance.now();
    if (this.firstHealthyMs !== null && this.last !== "healthy") this.unhealthyMs += now - this.lastAt;
    this.lastAt = now;
  }

  private alarm(alarm: Alarm): void {
    this.alarms.push(alarm);
    this.say(`ALARM after ${decimal(alarm.atS, 1)} s, ${alarm.scene}: ${alarm.state}: ${alarm.reason}`);
  }
}

type Traffic = {
  readonly operations: number;
  readonly failed: number;
  readonly planted: number;
  /** Codes of the failures, shift by shift; without the planted ones. */
  readonly failedByCode: readonly Readonly<Record<string, number>>[];
  readonly p99: readonly number[];
};

/** Two halves of the users trade by turns, every cohort in each; the next ones begin before the last ones go. */
function letTrade(
  venue: TradingVenue,
  { options, signal }: Stage,
): { readonly first: Promise<void>; end(): Promise<Traffic> } {
  const halves = [USER_UIDS.slice(0, USER_UIDS.length / 2), USER_UIDS.slice(USER_UIDS.length / 2)];
  const over = new AbortController();
  const first = Promise.withResolvers<void>();
  const ended: Promise<TrafficSummary>[] = [];
  const shift = (turn: number): Promise<Users> =>
    venue.users({
      seed: `${options.firstSeed}-${turn}`,
      uids: halves[turn % 2] ?? [],
      ratePerSec: options.ratePerSec,
      settleMs: OVERLAP_MS,
      maxSeconds: 2 * (SHIFT_MS / 1_000),
    });
  const dismiss = (users: Users) => {
    const summary = users.stop();
    // Whoever asks for the end is told.
    summary.catch(() => {});
    ended.push(summary);
  };
  const work = async () => {
    let users = await shift(0);
    first.resolve();
    for (let turn = 1; ; turn += 1) {
      await pause(SHIFT_MS, AbortSignal.any([over.signal, signal])).catch(() => {});
      if (over.signal.aborted || signal.aborted) break;
      const next = await shift(turn);
      dismiss(users);
      users = next;
    }
    dismiss(users);
  };
  const working = work();
  working.catch((error: unknown) => first.reject(error));
  let result: Promise<Traffic> | undefined;
  const end = async (): Promise<Traffic> => {
    over.abort();
    await working;
    const all = await Promise.all(ended);
    return {
      operations: sum(all.map((one) => one.operations)),
      failed: sum(all.map((one) => one.failed)),
      planted: sum(all.map((one) => one.planted)),
      failedByCode: all.map((one) => one.failedByCode),
      p99: all.map((one) => one.latency.p99),
    };
  };
  return { first: first.promise, end: () => (result ??= end()) };
}
