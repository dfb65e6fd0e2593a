import { randomInt } from "node:crypto";
import type { Clock } from "../../../ports/clock.ts";
import { BUDGETS } from "../budgets.ts";
import type { Budgets } from "../budgets.ts";
import { connect } from "../connect.ts";
import type { Connection } from "../connect.ts";
import { isLost } from "../explain-error.ts";
import { targetOf } from "../target.ts";
import type { Target } from "../target.ts";

/** The server that clones are made on, and whose they are. */
export type Ground = {
  /** The store that is copied. */
  readonly source: Target;
  readonly database: string;
  /** URLs of components that use the store, by component: their roles are taken from there. */
  readonly roles: Readonly<Record<string, string>>;
  /** Eight hex digits, in the name of everything that this rehearsal makes. */
  readonly id: string;
  readonly budgets: Budgets;
  readonly clock: Clock;
};

const CLASS = 0x6d_66_74_72;
/** Where sessions go that must not stand in the way of copying the store. */
const MAINTENANCE = "postgres";
const NAME = /^midflight_(?:template|trial)_([0-9a-f]{8})/;
/** How long the server may go on with what a dead rehearsal ordered, in ms. */
const LINGER_MS = 15_000;
const POLL_MS = 100;
/** Copying or removing a large database. */
export const LONG_MS = 1_800_000;

export const newId = (): string =>
  randomInt(2 ** 31)
    .toString(16)
    .padStart(8, "0");
export const templateName = (ground: Ground): string => `midflight_template_${ground.id}`;
export const cloneName = (ground: Ground, number: number): string => `midflight_trial_${ground.id}_${number}`;

/** The same server and user, another database. */
export const urlFor = (url: string, database: string): string => {
  const there = new URL(url);
  there.pathname = `/${encodeURIComponent(database)}`;
  return there.href;
};

/** A session on the server that is in nobody's way. */
export const openAdmin = (ground: Ground, purpose: string, signal: AbortSignal): Promise<Connection> =>
  connect(
    targetOf(urlFor(ground.source.url, MAINTENANCE)),
    { name: `midflight trial ${ground.id} ${purpose}`, settings: { search_path: "" } },
    ground.budgets,
    signal,
  );

export const withAdmin = async <T>(
  ground: Ground,
  purpose: string,
  signal: AbortSignal,
  use: (db: Connection) => Promise<T>,
): Promise<T> => {
  const db = await openAdmin(ground, purpose, signal);
  // The server notices within a second that nobody waits any more, and takes back what it was doing.
  const cut = (): void => db.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    signal.throwIfAborted();
    return await use(db);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", cut);
    await db.close();
  }
};

/** A session whose lock says that this rehearsal lives. It vanishes with the process. */
export const openKeeper = async (ground: Ground, signal: AbortSignal): Promise<Connection> => {
  const db = await openAdmin(ground, "keeper", signal);
  await db.query("select pg_catalog.pg_advisory_lock_shared($1, $2)", [CLASS, Number.parseInt(ground.id, 16)]);
  return db;
};

/** Removes databases whose rehearsal is dead, of this user only. Resolves with their names. */
export const sweep = async (ground: Ground, signal: AbortSignal): Promise<readonly string[]> =>
  withAdmin(ground, "sweep", signal, async (db) => {
    const swept: string[] = [];
    for (const { name, id } of await left(db)) {
      if (await isAlive(db, id)) continue;
      await ended(db, id, ground, signal);
      if (await drop(db, name)) swept.push(name);
    }
    return swept;
  });

/** Removes what this rehearsal made, also what the server was still making when its orderer was stopped. */
export const clear = (ground: Ground): Promise<void> => {
  const signal = new AbortController().signal;
  return withAdmin(ground, "clear", signal, async (db) => {
    await ended(db, ground.id, ground, signal);
    for (const { name, id } of await left(db)) if (id === ground.id) await drop(db, name);
  });
};

/** Resolves with whether it was there. Sessions in it are ended. */
export const drop = async (db: Connection, name: string): Promise<boolean> => {
  const [row] = await db.query("select 1 from pg_catalog.pg_database where datname = $1", [name]);
  if (row === undefined) return false;
  try {
    await db.query(`drop database if exists ${name} with (force)`, undefined, LONG_MS);
    return true;
  } catch (error) {
    if (isLost(error)) throw error;
    // Another rehearsal was quicker.
    const [still] = await db.query("select 1 from pg_catalog.pg_database where datname = $1", [name]);
    if (still !== undefined) throw error;
    return false;
  }
};

const left = async (db: Connection): Promise<readonly { readonly name: string; readonly id: string }[]> => {
  const rows = await db.query(
    "select datname as name from pg_catalog.pg_database where pg_catalog.pg_get_userbyid(datdba) = current_user order by 1",
  );
  return rows.flatMap((row) => {
    const name = String(row["name"]);
    const id = NAME.exec(name)?.[1];
    return id === undefined ? [] : [{ name, id }];
  });
};

const isAlive = async (db: Connection, id: string): Promise<boolean> => {
  const [row] = await db.query(
    "select 1 from pg_catalog.pg_locks where locktype = 'advisory' and classid::bigint = $1 and objid::bigint = $2 and granted",
    [CLASS, Number.parseInt(id, 16)],
  );
  return row !== undefined;
};

// What is being created is in no list yet. It is seen by the session that creates it.
const ended = async (db: Connection, id: string, ground: Ground, signal: AbortSignal): Promise<void> => {
  for (const until = ground.clock.monotonic() + LINGER_MS; ground.clock.monotonic() < until;) {
    const [row] = await db.query(
      "select 1 from pg_catalog.pg_stat_activity where application_name = $1 and state = 'active'",
      [`midflight trial ${id} create`],
    );
    if (row === undefined) return;
    await ground.clock.sleep(POLL_MS, signal);
  }
};

export const groundOf = (
  url: string,
  how: { readonly roles: Readonly<Record<string, string>>; readonly clock: Clock; readonly budgets?: Partial<Budgets> },
): Ground => {
  const source = targetOf(url);
  return {
    source,
    database: decodeURIComponent(new URL(url).pathname.slice(1)),
    roles: how.roles,
    id: newId(),
    budgets: { ...BUDGETS, ...how.budgets },
    clock: how.clock,
  };
};
