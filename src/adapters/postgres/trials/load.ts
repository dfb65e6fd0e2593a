import { messageOf } from "../../../errors/message-of.ts";
import type { Asking, LoadMeasure, LoadOrder, Sample } from "../../../ports/trials.ts";
import type { Connection, Question } from "../connect.ts";
import { connect } from "../connect.ts";
import { holdTables } from "../hold-tables.ts";
import { postgresMetadata } from "../metadata.ts";
import { targetOf } from "../target.ts";
import type { Ground } from "./ground.ts";

/** Calls before the migration starts, and after it ended, in ms. */
const WARM_MS = 400;
const SETTLE_MS = 300;
const LINES = 8;
const ASK_BLOCKERS_MS = 25;
/** A call is lost when its answer is later than this beyond what the server allowed it. */
const GRACE_MS = 1_000;

/** The clone, and the component that calls it. */
export type LoadPlace = { readonly url: string; applicationUrl(component: string): string };

type Call = { readonly query: string; readonly ms: number; readonly reason?: string };

/**
 * The component's statements go on, one every `everyMs`, while our runner migrates, an idle reader holds every table and a writer
 * does not commit. The lock queue is the outage, so this is what users would feel.
 */
export const loadOn = async (
  ground: Ground,
  place: LoadPlace,
  order: LoadOrder,
  signal: AbortSignal,
): Promise<LoadMeasure> => {
  const open: Connection[] = [];
  const stop = new AbortController();
  const cut = AbortSignal.any([signal, stop.signal]);
  const onAbort = (): void => open.forEach((db) => db.destroy());
  signal.addEventListener("abort", onAbort, { once: true });
  const session = async (url: string, name: string, settings: Readonly<Record<string, string>> = {}) => {
    const db = await connect(targetOf(url), { name, settings }, ground.budgets, signal);
    open.push(db);
    return db;
  };
  try {
    const limits = { statement_timeout: `${order.abortMs}ms` };
    const idle = await session(place.url, "midflight trial: idle calls", limits);
    const observer = await session(place.url, "midflight trial: observer");
    const calls: Call[] = [];
    const idleCalls: Call[] = [];
    const lines = await Promise.all(
      order.askings.map(({ component }) =>
        Promise.all(
          Array.from({ length: LINES }, () =>
            session(place.applicationUrl(component), "midflight trial: order load", limits),
          ),
        ),
      ),
    );
    const traffic = [
      ...order.askings.map((asking, index) =>
        keepCalling(ground, { ...order, asking, lines: lines[index] ?? [] }, calls, cut),
      ),
      keepAsking(ground, order, idle, idleCalls, cut),
    ];
    const waitedFor = new Set<string>();
    const watching = watchWaits(ground, observer, waitedFor, cut);
    const drill = await standInTheWay(place, order, session, signal);
    await ground.clock.sleep(WARM_MS, signal);
    // A writer whose rows the calls need would be at fault for what the migration is asked about.
    if (calls.some(({ reason }) => reason !== undefined)) await drill.sendWriterAway();
    calls.length = 0;
    drill.leaveAfter((ms) => ground.clock.sleep(ms, signal));
    const migrated = await migrate(ground, place.url, order, observer, signal);
    await drill.end();
    await ground.clock.sleep(SETTLE_MS, signal);
    stop.abort();
    await Promise.all([...traffic, watching]);
    return { ...measureOf(calls, idleCalls), ...migrated, waitedFor: [...waitedFor].toSorted() };
  } finally {
    stop.abort();
    signal.removeEventListener("abort", onAbort);
    await Promise.all(open.map((db) => db.close()));
    signal.throwIfAborted();
  }
};

const migrate = async (ground: Ground, url: string, order: LoadOrder, observer: Connection, signal: AbortSignal) => {
  const startedAt = ground.clock.monotonic();
  const took = (): number => Math.round(ground.clock.monotonic() - startedAt);
  // The copy has seen the fences of its store.
  const [has] = await observer.query("select pg_catalog.to_regclass('midflight.fence') is not null as fence");
  const [row] = has?.["fence"] === true ? await observer.query("select epoch from midflight.fence") : [];
  const store = postgresMetadata({ url, clock: ground.clock, budgets: ground.budgets });
  try {
    const { reports } = await store.migrate(
      { direction: order.direction, names: order.names, migrations: order.migrations },
      { epoch: Number(row?.["epoch"] ?? 0) + 1, seq: 1 },
      signal,
    );
    return {
      migrationMs: took(),
      tries: reports.length === 0 ? 0 : 1 + Math.max(...reports.map((one) => one.lockRetries)),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { migrationMs: took(), tries: 0, failure: messageOf(error) };
  }
};

type Queued = { readonly name: string; readonly sql: string; readonly sample: Sample };

/** One call every `everyMs`, on whichever line is free; a call that finds none waits, as in the component's own pool. */
const keepCalling = async (
  ground: Ground,
  order: Pick<LoadOrder, "everyMs" | "abortMs"> & { readonly asking: Asking; readonly lines: readonly Connection[] },
  calls: Call[],
  signal: AbortSignal,
): Promise<void> => {
  const queue = queueOf(order.asking);
  if (queue.length === 0) return;
  const free = [...order.lines];
  const waiting: ((line: Connection) => void)[] = [];
  const under: Promise<void>[] = [];
  const give = (line: Connection): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(line);
    else next(line);
  };
  const take = (): Promise<Connection> => {
    const line = free.pop();
    return line === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(line);
  };
  const call = async ({ name, sql, sample }: Queued): Promise<void> => {
    const startedAt = ground.clock.monotonic();
    const line = await take();
    const reason = await takenBack(line, {
      name,
      text: sql,
      values: sample.values,
      timeoutMs: order.abortMs + GRACE_MS,
    });
    give(line);
    const ms = ground.clock.monotonic() - startedAt;
    const late = reason === undefined && ms > order.abortMs ? `answered after more than ${order.abortMs} ms` : reason;
    calls.push({ query: name, ms, ...(late === undefined ? {} : { reason: late }) });
  };
  for (let index = 0; !signal.aborted; index += 1) {
    const next = queue[index % queue.length];
    if (next !== undefined) under.push(call(next));
    await ground.clock.sleep(order.everyMs, signal).catch(() => undefined);
  }
  await Promise.all(under);
};

// A sample is sent many times, and a second order of the same id would be refused for that alone.
const takenBack = async (line: Connection, question: Question): Promise<string | undefined> => {
  try {
    await line.query("begin");
    await line.ask(question);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  } finally {
    await line.query("rollback").catch(() => undefined);
  }
};

// By turns through the queries, so that each is called all the time, and each time with another sample.
const queueOf = (asking: Asking): readonly Queued[] => {
  const most = Math.max(0, ...asking.queries.map(({ name }) => callsOf(asking.samples[name] ?? []).length));
  return Array.from({ length: most }, (_, index) => index).flatMap((index) =>
    asking.queries.flatMap(({ name, sql }) => {
      const samples = callsOf(asking.samples[name] ?? []);
      const sample = samples[index % samples.length];
      return sample === undefined ? [] : [{ name, sql, sample }];
    }),
  );
};

const keepAsking = async (
  ground: Ground,
  order: LoadOrder,
  idle: Connection,
  calls: Call[],
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    const startedAt = ground.clock.monotonic();
    const reason = await idle.ask({ text: "select 1", values: [] }).then(() => undefined, reasonOf);
    const ms = ground.clock.monotonic() - startedAt;
    const late = ms > order.abortMs ? "late" : reason;
    calls.push({ query: "idle", ms, ...(late === undefined ? {} : { reason: late }) });
    await ground.clock.sleep(order.everyMs, signal).catch(() => undefined);
  }
};

const reasonOf = (error: unknown): string => {
  const code = typeof error === "object" && error !== null && "code" in error ? ` (${String(error.code)})` : "";
  return `${messageOf(error)}${code}`;
};

type OpenSession = (url: string, name: string) => Promise<Connection>;

/** What a change meets on any day: an analyst's forgotten transaction, and a writer that takes its time. */
const standInTheWay = async (place: LoadPlace, order: LoadOrder, session: OpenSession, signal: AbortSignal) => {
  const held = await holdTables(place.url, signal);
  const [asking] = order.askings;
  const writerUrl = asking === undefined ? place.url : place.applicationUrl(asking.component);
  const writer = await session(writerUrl, "midflight drill: long transaction");
  await writer.query("begin isolation level repeatable read; select 1");
  for (const { name, sql } of asking?.queries ?? []) {
    const own = writersOf(asking?.samples[name] ?? []);
    if (own === undefined) continue;
    await writer.query("savepoint midflight_trial");
    await writer
      .ask({ text: sql, values: own.values })
      .catch(() => writer.query("rollback to savepoint midflight_trial"))
      .catch(() => undefined);
  }
  const sendWriterAway = async (): Promise<void> => {
    await writer.query("rollback").catch(() => undefined);
  };
  let gone: Promise<unknown> = Promise.resolve();
  return {
    sendWriterAway,
    /** They go by themselves, as in life. */
    leaveAfter(wait: (ms: number) => Promise<void>): void {
      const leave = (ms: number, go: () => Promise<void>): Promise<void> =>
        wait(ms)
          .catch(() => undefined)
          .then(go);
      gone = Promise.all([leave(order.readerMs, () => held.release()), leave(order.writerMs, sendWriterAway)]);
    },
    end: () => gone,
  };
};

/** The writer's sample is no call's: they would wait for each other without any migration. */
const writersOf = (samples: readonly Sample[]): Sample | undefined => (samples.length > 1 ? samples.at(-1) : undefined);
const callsOf = (samples: readonly Sample[]): readonly Sample[] =>
  samples.length > 1 ? samples.slice(0, -1) : samples;

/** Notes whom sessions of the runner wait for. */
const watchWaits = async (
  ground: Ground,
  observer: Connection,
  waitedFor: Set<string>,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    const rows = await observer.query(WAITS).catch(() => []);
    for (const row of rows) waitedFor.add(String(row["who"]));
    await ground.clock.sleep(ASK_BLOCKERS_MS, signal).catch(() => undefined);
  }
};

const WAITS = `
select distinct coalesce(nullif(b.application_name, ''), 'no application_name') as who
  from pg_catalog.pg_stat_activity a cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) as p (pid)
  join pg_catalog.pg_stat_activity b on b.pid = p.pid
 where a.datname = pg_catalog.current_database() and a.application_name ~ '^midflight [0-9]'`;

const measureOf = (calls: readonly Call[], idleCalls: readonly Call[]) => {
  const failed = calls.filter(({ reason }) => reason !== undefined);
  const reasons = Map.groupBy(failed, ({ query, reason }) => `${query}\n${reason}`);
  return {
    calls: calls.length,
    failed: failed.length,
    worstMs: Math.round(Math.max(0, ...calls.map(({ ms }) => ms))),
    failures: [...reasons]
      .map(([key, all]) => ({
        query: key.split("\n")[0] ?? "",
        reason: key.split("\n").slice(1).join(" "),
        calls: all.length,
      }))
      .toSorted((a, b) => b.calls - a.calls),
    idleCalls: idleCalls.length,
    idleFailed: idleCalls.filter(({ reason }) => reason !== undefined).length,
  };
};
