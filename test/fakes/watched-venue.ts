import type { PlanGuard } from "../../src/plan/model.ts";
import type { WatchConfig, WatchedInstance, Watcher, WatchPulse } from "../../src/ports/watcher.ts";
import type { Verdict, VerdictState } from "../../src/guard/verdict.ts";
import { probeAccounts, startOkxServer, type OkxServer } from "./okx-server.ts";

export const PREFIX = "mfprobe";

export const guardOf = (more: Partial<PlanGuard> = {}): PlanGuard => ({
  operations: ["order", "amend", "cancel"],
  falseAlarmEveryMs: 30 * 86_400_000,
  baselineAtMostPct: 0.1,
  slowerThanMs: 250,
  deadlineMs: 250,
  probesPerSec: 30,
  suspectForMs: 10_000,
  holdForMs: 600_000,
  ...more,
});

export type RegionPlan = { readonly region: string; readonly old: number; readonly usersPerSec?: number };

/** A venue with a watcher on it. Old instances are `tokyo-0`…; one spare, `tokyo-new`, runs 2.0 in the dark. */
export const watchedVenue = async (
  watcher: Watcher,
  regions: readonly RegionPlan[],
  how: { readonly guard?: Partial<PlanGuard>; readonly hasCounters?: boolean; readonly hasSockets?: boolean } = {},
) => {
  const servers = new Map<string, OkxServer>();
  for (const { region, old, usersPerSec = 0 } of regions) {
    const ids = Array.from({ length: old }, (_, index) => ({ id: `${region}-${index}`, release: "gateway@1.0" }));
    const server = await startOkxServer({
      region,
      instances: [...ids, { id: `${region}-new`, release: "gateway@2.0" }],
      accounts: probeAccounts(region),
      usersPerSec,
    });
    server.expose(ids.map(({ id }) => id));
    servers.set(region, server);
  }
  const serverOf = (region: string): OkxServer => {
    const server = servers.get(region);
    if (server === undefined) throw new Error(`no region ${region}`);
    return server;
  };
  const instanceOf = (region: string, id: string, side: "new" | "old", inTraffic: boolean): WatchedInstance => ({
    id,
    region,
    side,
    inTraffic,
    component: "gateway",
    release: side === "new" ? "gateway@2.0" : "gateway@1.0",
    url: serverOf(region).urlOf(id),
  });
  const before = regions.flatMap(({ region, old }) =>
    Array.from({ length: old }, (_, index) => instanceOf(region, `${region}-${index}`, "old", true)),
  );
  const config: WatchConfig = {
    guard: guardOf(how.guard),
    orderPrefix: PREFIX,
    regions: regions.map(({ region }) => ({
      region,
      accounts: probeAccounts(region),
      probe: {
        kind: "okx",
        rest: serverOf(region).url,
        ...(how.hasSockets === true ? { ws: serverOf(region).url.replace("http", "ws") } : {}),
        accounts: { env: "UNUSED" },
        instrument: "PROBE-USDT",
        simulatedTrading: false,
      },
    })),
    ...(how.hasCounters === false ? {} : { counters: { path: "/-/metrics", metric: "venue_operations_total" } }),
  };
  const verdicts: Verdict[] = [];
  const pulses: WatchPulse[] = [];
  return {
    config,
    server: serverOf,
    verdicts,
    pulses,
    before,
    async start(): Promise<void> {
      watcher.instances(before);
      await watcher.start(config, {
        verdict: (verdict) => void verdicts.push(verdict),
        pulse: (pulse) => void pulses.push(pulse),
      });
      watcher.instances(before);
    },
    dark: (region: string): WatchedInstance => instanceOf(region, `${region}-new`, "new", false),
    /** The new instance of a region takes users. */
    admit(region: string): void {
      const ids = before.filter((instance) => instance.region === region).map(({ id }) => id);
      watcher.instances([...before, instanceOf(region, `${region}-new`, "new", true)]);
      watcher.mark({ id: "admit", cause: { kind: "instances", component: "gateway", regions: [region] } });
      serverOf(region).expose([...ids, `${region}-new`]);
    },
    withdraw(region: string): void {
      serverOf(region).expose(before.filter((instance) => instance.region === region).map(({ id }) => id));
      watcher.instances([...before, instanceOf(region, `${region}-new`, "new", false)]);
    },
    until: (state: VerdictState, ms = 15_000): Promise<Verdict> =>
      eventually(
        () => (verdicts.at(-1)?.state === state ? verdicts.at(-1) : undefined),
        ms,
        () => `${state}; verdicts: ${JSON.stringify(verdicts.map((verdict) => [verdict.state, verdict.reason]))}`,
      ),
    async close(): Promise<void> {
      await watcher.stop();
      for (const server of servers.values()) server.close();
    },
  };
};

export type WatchedVenue = Awaited<ReturnType<typeof watchedVenue>>;

/** Polls until there is a value. */
export const eventually = async <T>(
  look: () => T | undefined | Promise<T | undefined>,
  ms: number,
  what: () => string,
): Promise<T> => {
  for (
    const end = performance.now() + ms;
    performance.now() < end;
    await new Promise((resolve) => setTimeout(resolve, 20))
  ) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${ms} ms: ${what()}`);
};
