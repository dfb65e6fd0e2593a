import type { Connection } from "../connect.ts";
import { connect } from "../connect.ts";
import { sqlState } from "../explain-error.ts";
import { targetOf } from "../target.ts";
import { LONG_MS, templateName, urlFor, withAdmin } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { refusal, refusedCopy } from "./refusal.ts";
import { thin } from "./thin.ts";

/** What of the store's rows goes into the copy. `mask`: `table.column`. */
export type Content = { readonly rows: number | "all"; readonly mask: readonly string[] };

/** `ask`: sessions on the store refuse the copy. `send-away`: they are ended once; who comes back waits until the copy is made. */
export type Sessions = "ask" | "send-away";

export type Template = {
  readonly name: string;
  readonly ms: number;
  readonly bytes: number;
  readonly server: string;
  readonly strategy: Strategy;
  readonly sentAway: readonly string[];
};

export type Strategy = "file_copy" | "wal_log" | "none";

/** A small database is copied quickest through the log, if the log is not written to disk at once; a large one file by file. */
export const strategyFor = (server: {
  readonly version: number;
  readonly isSynced: boolean;
  readonly bytes: number;
}): Strategy => {
  if (server.version < 150_000) return "none";
  return server.isSynced && server.bytes < SMALL_BYTES ? "wal_log" : "file_copy";
};
const SMALL_BYTES = 256_000_000;

export const strategyClause = (strategy: Strategy): string => (strategy === "none" ? "" : ` strategy ${strategy}`);

/**
 * Copies the store. While the server copies it, whoever wants to connect waits, by a lock that ends with our session: nothing about
 * the store is changed that a killed rehearsal would leave changed. Nobody can connect to the finished copy.
 */
export const makeTemplate = async (
  ground: Ground,
  how: { readonly content: Content; readonly sessions: Sessions },
  signal: AbortSignal,
): Promise<Template> => {
  const startedAt = ground.clock.monotonic();
  const name = templateName(ground);
  const server = await withAdmin(ground, "look", signal, (db) => lookAt(db, ground));
  const strategy = strategyFor(server);
  const sentAway = await copy(ground, name, strategy, how.sessions, signal);
  if (how.content.rows !== "all" || how.content.mask.length > 0) await reduce(ground, name, how.content, signal);
  const bytes = await withAdmin(ground, "close", signal, async (db) => {
    await db.query(`alter database ${name} allow_connections false`);
    return sizeOf(db, name);
  });
  return {
    name,
    ms: Math.round(ground.clock.monotonic() - startedAt),
    bytes,
    server: server.text,
    strategy,
    sentAway,
  };
};

const lookAt = async (db: Connection, ground: Ground) => {
  const [row] = await db.query(
    `select pg_catalog.current_setting('server_version_num')::int as version, pg_catalog.current_setting('server_version') as text,
            pg_catalog.current_setting('fsync') = 'on' as synced, pg_catalog.pg_is_in_recovery() as standby`,
  );
  if (row?.["standby"] === true)
    throw refusal(ground.source, "it is a standby, and a standby cannot be written to", "name a server that is none");
  return {
    version: Number(row?.["version"]),
    text: `PostgreSQL ${String(row?.["text"])}`,
    isSynced: row?.["synced"] === true,
    bytes: await sizeOf(db, ground.database),
  };
};

const sizeOf = async (db: Connection, database: string): Promise<number> => {
  const [row] = await db.query("select pg_catalog.pg_database_size($1::name) as bytes", [database]);
  return Number(row?.["bytes"]);
};

const copy = async (
  ground: Ground,
  name: string,
  strategy: Strategy,
  sessions: Sessions,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const present = await withAdmin(ground, "look", signal, (db) => inTheWay(db, ground.database));
  if (sessions === "ask" && present.length > 0) throw refusedCopy(ground.source, { code: "55006" }, wordsOf(present));
  const creation = withAdmin(ground, "create", signal, (db) => create(db, ground, name, strategy));
  const done = creation.then(
    () => true,
    () => true,
  );
  const sent = new Map<string, string>();
  if (sessions === "send-away") await sendAway(ground, done, sent, signal);
  try {
    await creation;
  } catch (cause) {
    signal.throwIfAborted();
    const still = await withAdmin(ground, "look", signal, (db) => inTheWay(db, ground.database)).catch(() => []);
    throw refusedCopy(ground.source, cause, wordsOf(still));
  }
  return [...sent.values()];
};

const create = (db: Connection, ground: Ground, name: string, strategy: Strategy): Promise<unknown> =>
  db.query(
    `create database ${name} template ${quote(ground.database)}${strategyClause(strategy)} allow_connections true`,
    undefined,
    LONG_MS,
  );

// The server looks for five seconds whether the others have left, and lets nobody in meanwhile.
const sendAway = async (
  ground: Ground,
  done: Promise<boolean>,
  sent: Map<string, string>,
  signal: AbortSignal,
): Promise<void> => {
  await withAdmin(ground, "send away", signal, async (db) => {
    for (let isDone = false; !isDone;) {
      for (const one of await inTheWay(db, ground.database)) {
        sent.set(one.who, one.who);
        // Whom we may not send away is named when the copy fails.
        await db.query("select pg_catalog.pg_terminate_backend($1)", [one.pid]).catch((error: unknown) => {
          if (sqlState(error) === undefined) throw error;
        });
      }
      isDone = await Promise.race([done, ground.clock.sleep(POLL_MS, signal).then(() => false)]);
    }
  });
};
const POLL_MS = 30;

type Session = { readonly pid: number; readonly who: string };

const wordsOf = (sessions: readonly Session[]): readonly string[] => sessions.map(({ who }) => who);

const inTheWay = async (db: Connection, database: string): Promise<readonly Session[]> => {
  const rows = await db.query(IN_THE_WAY, [database]);
  return rows.map((row) => ({ pid: Number(row["pid"]), who: String(row["who"]) }));
};

// Workers of the server's own leave by themselves.
const IN_THE_WAY = `
select a.pid, pg_catalog.concat('pid ', a.pid, ' (', coalesce(nullif(a.application_name, ''), 'no application_name'), ', user ', a.usename, ')',
         ' from ' || pg_catalog.host(a.client_addr), ', ' || a.state) as who
  from pg_catalog.pg_stat_activity a
 where a.datname = $1 and a.pid <> pg_catalog.pg_backend_pid() and a.backend_type not like 'autovacuum%' and a.backend_type <> 'parallel worker'
union all
select 0, pg_catalog.concat('the prepared transaction ', gid, ' of ', owner) from pg_catalog.pg_prepared_xacts where database = $1
 order by 1`;

const reduce = async (ground: Ground, name: string, content: Content, signal: AbortSignal): Promise<void> => {
  const url = urlFor(ground.source.url, name);
  const db = await connect(targetOf(url), { name: `midflight trial ${ground.id} thin` }, ground.budgets, signal);
  const cut = (): void => db.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    await thin(db, content);
  } catch (cause) {
    signal.throwIfAborted();
    throw refusedCopy(ground.source, cause, []);
  } finally {
    signal.removeEventListener("abort", cut);
    await db.close();
  }
};

export const quote = (word: string): string => `"${word.replaceAll('"', '""')}"`;
