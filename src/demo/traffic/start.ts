import { createWriteStream } from "node:fs";
import { accountOf } from "../venue/accounts.ts";
import type { Fields } from "../okx-client/fields.ts";
import { createRestClient } from "../okx-client/rest.ts";
import { REGIONS, trafficConfig } from "./config.ts";
import type { Region, TrafficConfig, TrafficOptions } from "./config.ts";
import { createDesk } from "./desk.ts";
import { createHistogram } from "./histogram.ts";
import { clientOrderIds } from "./intent.ts";
import { createLedger } from "./ledger.ts";
import { readMarkets } from "./markets.ts";
import type { Outcome } from "./outcome.ts";
import { createQueries, venueOrder } from "./queries.ts";
import type { Clients } from "./queries.ts";
import { createRandom } from "./random.ts";
import { createRecord } from "./record.ts";
import type { TrafficReport, TrafficSummary } from "./report.ts";
import { createRoute } from "./route.ts";
import { arrivals, habitsOf } from "./schedule.ts";
import type { Arrival } from "./schedule.ts";
import { createSender } from "./send.ts";
import { createServing } from "./serving.ts";
import { createSession } from "./session.ts";
import { settle } from "./settle.ts";
import { createStateChecks } from "./state-check.ts";
import type { Counts } from "./tally.ts";
import type { Ledger } from "./ledger.ts";
import type { User } from "./user.ts";

/** Running user traffic. */
export type Traffic = {
  /** Starts a named window of outcomes and latencies; ends the one before. */
  mark(name: string): void;
  /** What was counted so far. */
  counts(): Counts;
  /** Ends the traffic, compares every order with the venue's state, and cleans up. May be called again. */
  stop(): Promise<TrafficSummary>;
  /** Resolves when the traffic has ended, by `stop` or after `maxSeconds`. */
  readonly ended: Promise<TrafficSummary>;
};

export type TrafficListeners = {
  readonly onReport?: (report: TrafficReport) => void;
  readonly onOutcome?: (outcome: Outcome) => void;
};

/**
 * Lets users trade: open loop, by a schedule that never waits for answers. Resolves when the first operation is about to be sent.
 * Rejects: `VENUE_CONFIG`; `VENUE_UNREACHABLE` if no region answers within `startWithinMs`.
 */
export const startTraffic = async (
  options: TrafficOptions | Fields,
  listeners: TrafficListeners = {},
): Promise<Traffic> => {
  const config = trafficConfig(options);
  const simulated = config.simulatedTrading ?? config.venueEnv === "demo";
  const origins: Record<Region, string> = {
    tokyo: config.regions.tokyo.rest,
    frankfurt: config.regions.frankfurt.rest,
  };
  const clients: Clients = {
    tokyo: createRestClient(origins.tokyo, simulated),
    frankfurt: createRestClient(origins.frankfurt, simulated),
  };
  const markets = await readMarkets(clients, config.startWithinMs);
  const ledger = createLedger();
  const users = createUsers(config, simulated, clients, ledger);
  await startSessions(users);

  const queries = createQueries(clients);
  const sender = createSender({ clients, origins, markets, deadlineMs: config.deadlineMs });
  const record = createRecord();
  const file = config.outcomesFile === undefined ? undefined : createWriteStream(config.outcomesFile);
  const desk = createDesk({
    config,
    markets,
    ledger,
    sender,
    checks: createStateChecks(queries, ledger, config.stateDeadlineMs),
    clOrdIdOf: clientOrderIds(Date.now(), config.seed),
    onOutcome: (outcome) => {
      record.add(outcome);
      file?.write(`${JSON.stringify(outcome)}\n`);
      listeners.onOutcome?.(outcome);
    },
    onLeverage: (isFailed) => record.addLeverage(isFailed),
  });
  const byUid = new Map(users.map((user) => [user.uid, user]));
  const flying = new Set<Promise<void>>();
  const lag = createHistogram();
  const cpuAtStart = process.cpuUsage();
  const schedule = followSchedule(config, (arrival, lateMs) => {
    const user = byUid.get(arrival.uid);
    if (user === undefined) return;
    lag.add(lateMs);
    const turn: Promise<void> = desk(arrival, user).finally(() => flying.delete(turn));
    flying.add(turn);
  });
  const reportTimer = setInterval(() => listeners.onReport?.(record.report(flying.size)), config.reportEveryMs);

  const end = async (): Promise<TrafficSummary> => {
    clearTimeout(lastTimer);
    schedule.stop();
    const cpuShare = shareOf(process.cpuUsage(cpuAtStart), record.startedAt);
    const stoppedAt = Date.now();
    await Promise.race([Promise.allSettled(flying), pause(config.deadlineMs + 2 * config.stateDeadlineMs)]);
    clearInterval(reportTimer);
    listeners.onReport?.(record.report(flying.size));
    const { settleMs, cleanUp } = config;
    const settlement = await settle({
      ledger,
      users,
      queries,
      clients,
      leverageInstId: markets[0]?.instId ?? "",
      settleMs,
      cleanUp,
    });
    for (const user of users) user.session?.stop();
    await Promise.all([...REGIONS.map((region) => clients[region].close()), sender.close(), closed(file)]);
    return record.summary({ settlement, stoppedAt, cpuShare, lag });
  };
  let ending: Promise<TrafficSummary> | undefined;
  const { promise: ended, resolve, reject } = Promise.withResolvers<TrafficSummary>();
  ended.catch(() => undefined); // whoever stops the traffic hears it
  const stop = (): Promise<TrafficSummary> => {
    if (ending === undefined) {
      ending = end();
      ending.then(resolve, reject);
    }
    return ending;
  };
  const lastTimer = setTimeout(() => void stop(), config.maxSeconds * 1_000);
  return { mark: (name) => record.mark(name), counts: () => record.counts(), stop, ended };
};

const createUsers = (
  config: TrafficConfig,
  simulatedTrading: boolean,
  clients: Clients,
  ledger: Ledger,
): readonly User[] => {
  const isServing = createServing(clients);
  const onOrders = (rows: readonly unknown[]): void => {
    for (const row of rows) {
      const shown = venueOrder(row);
      if (shown !== undefined) ledger.show(shown);
    }
  };
  return habitsOf(config.uids, config.seed, config.wsShare).map((habits) => {
    const { uid } = habits;
    const who = accountOf(uid, config.venueEnv, config.keySeed);
    const random = createRandom(`${config.seed}/user/${uid}`);
    const route = createRoute(habits.home, isServing, random);
    const originOf = (region: Region): string => config.regions[region].ws;
    const session =
      habits.protocol === "ws"
        ? createSession({ who, originOf, simulatedTrading, route, random, onOrders })
        : undefined;
    return {
      uid,
      cohort: who.cohort,
      habits,
      who,
      route,
      session,
      timeoutsInRow: 0,
      leverage: { acknowledged: undefined, possible: [], isBusy: false },
    };
  });
};

// A few at a time: a venue greets no crowd at the door.
const startSessions = async (users: readonly User[]): Promise<void> => {
  const sessions = users.flatMap((user) => user.session ?? []);
  const width = 10;
  for (let first = 0; first < sessions.length; first += width) {
    await Promise.all(sessions.slice(first, first + width).map((session) => session.start(2_000)));
  }
};

type Schedule = { stop(): void };

/** Issues every arrival at its time, or as soon as this process gets to it; never waits for what came before. */
const followSchedule = (config: TrafficConfig, issue: (arrival: Arrival, lateMs: number) => void): Schedule => {
  const coming = arrivals(config);
  const since = performance.now();
  let next = coming.next().value;
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    for (let late = performance.now() - since - next.atMs; late >= 0; late = performance.now() - since - next.atMs) {
      issue(next, late);
      next = coming.next().value;
    }
    timer = setTimeout(run, Math.max(0, next.atMs - (performance.now() - since)));
  };
  timer = setTimeout(run, next.atMs);
  return { stop: () => clearTimeout(timer) };
};

const shareOf = (used: NodeJS.CpuUsage, startedAt: number): number =>
  Math.round(((used.user + used.system) / 1_000 / Math.max(1, Date.now() - startedAt)) * 1_000) / 1_000;

const closed = (file: ReturnType<typeof createWriteStream> | undefined): Promise<void> =>
  new Promise((done) => (file === undefined ? done() : file.end(done)));

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
