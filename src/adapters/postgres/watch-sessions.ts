import type { SessionAct, SessionReading, SessionWatch } from "../../ports/sessions.ts";
import type { Row } from "./connect.ts";
import { openReader, type Reader } from "./read-only.ts";

/** Between two looks, ms. */
const EVERY_MS = 50;
/** A server counts what a session did at the latest when it has stood idle for ten seconds. */
const COUNTED_MS = 10_300;

const NEXT_TRANSACTION = `select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text as next`;

const RIGHTS = `select current_setting('server_version_num')::int as version, current_user as name,
  exists (select from pg_catalog.pg_roles r where r.rolname = current_user
    and (r.rolsuper or pg_catalog.pg_has_role(r.oid, 'pg_read_all_stats', 'usage'))) as can_see`;

/** Since 18 the server counts by session. A record that only carries a page's image may come from a reader that leaves hints. */
const COUNTED = (version: number): string =>
  version >= 180_000
    ? "(select w.wal_records - w.wal_fpi from pg_catalog.pg_stat_get_backend_wal(a.pid) w)"
    : "null::bigint";

/** Processes on the server's own machine, by their ports; whoever has an address to himself, by that. */
const WHOSE = {
  ports:
    "a.client_port = any($1::int[]) and (a.client_addr = inet_server_addr() or a.client_addr << inet '127.0.0.0/8')",
  addresses: "host(a.client_addr) = any($1::text[])",
} as const;

const look = (version: number, by: keyof typeof WHOSE): string => `
  select a.pid, a.backend_start::text as began, coalesce(nullif(a.application_name, ''), 'unnamed') as name, left(a.query, 200) as query,
    extract(epoch from clock_timestamp() - a.state_change) * 1000 as idle_ms, a.backend_xid is not null as writes, ${COUNTED(version)}::text as records,
    array(select format('%s:%s:%s %s%s', l.classid, l.objid, l.objsubid, l.mode, case when l.granted then '' else ' (waiting)' end)
      from pg_catalog.pg_locks l where l.pid = a.pid and l.locktype = 'advisory') as locks,
    array(select s.slot_name::text from pg_catalog.pg_replication_slots s where s.active_pid = a.pid) as slots
  from pg_catalog.pg_stat_activity a
  where ${WHOSE[by]}`;

/** By what a server knows the connections of those who are watched. */
export type Clients = { readonly ports: ReadonlySet<number> } | { readonly addresses: ReadonlySet<string> };

export type SessionWatchOptions = {
  readonly store: string;
  readonly url: string;
  /** Undefined where nobody can tell. */
  readonly clients: () => Promise<Clients | undefined>;
};

/** Begins to watch. Rejects `METADATA_UNREACHABLE`. */
export async function watchSessions(options: SessionWatchOptions, signal: AbortSignal): Promise<SessionWatch> {
  const db = await openReader(options.url, { name: "midflight rehearsal: sessions" }, signal);
  try {
    const [rights] = await db.query(RIGHTS);
    const watch = new Watch(options, db, rights ?? {}, await nextOf(db));
    watch.begin();
    return watch;
  } catch (error) {
    await db.close();
    throw error;
  }
}

const nextOf = async (db: Reader): Promise<bigint> => {
  const [row] = await db.query(NEXT_TRANSACTION);
  return BigInt(String(row?.["next"]));
};

class Watch implements SessionWatch {
  private readonly options: SessionWatchOptions;
  private readonly db: Reader;
  private readonly version: number;
  private readonly blind: string | undefined;
  private readonly seen = new Set<string>();
  private readonly acts = new Map<string, SessionAct>();
  /** Records of each session at the last answer. */
  private records = new Map<string, bigint>();
  private latest = new Map<string, bigint>();
  private queries = new Map<string, string>();
  private next: bigint;
  /** Of the session that did something last. */
  private idleMs = 0;
  /** At the last look. */
  private clients: Clients | undefined = { ports: new Set() };
  private isClosed = false;
  private failure: unknown;
  private looking: Promise<void> = Promise.resolve();

  constructor(options: SessionWatchOptions, db: Reader, rights: Row, next: bigint) {
    this.options = options;
    this.db = db;
    this.next = next;
    this.version = Number(rights["version"]);
    this.blind =
      rights["can_see"] === true ? undefined : `${String(rights["name"])} may not see the sessions of others`;
  }

  begin(): void {
    this.looking = this.lookOn();
  }

  async answer(about: "writes-too" | "leadership", signal: AbortSignal): Promise<SessionReading> {
    await this.looked(signal, 0);
    const next = await nextOf(this.db);
    const hasWritten = (): boolean => [...this.acts.values()].some(({ kind }) => kind === "write");
    // Somebody wrote: who, is known when the server has counted.
    if (
      about === "writes-too" &&
      next !== this.next &&
      this.version >= 180_000 &&
      this.blind === undefined &&
      !hasWritten()
    )
      await this.looked(signal, Math.max(0, COUNTED_MS - this.idleMs));
    this.countRecords(next !== this.next);
    const reading: SessionReading = {
      store: this.options.store,
      sessions: this.seen.size,
      transactions: Number(next - this.next),
      acts: [...this.acts.values()],
      ...this.blindness(),
    };
    this.acts.clear();
    this.seen.clear();
    this.next = await nextOf(this.db);
    return reading;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.looking;
    await this.db.close();
  }

  private blindness(): Pick<SessionReading, "blindTo"> {
    if (this.blind !== undefined) return { blindTo: { what: "sessions", why: this.blind } };
    if (this.clients === undefined)
      return { blindTo: { what: "sessions", why: "this system does not tell whose connection is whose" } };
    if ("addresses" in this.clients && this.seen.size === 0)
      return {
        blindTo: {
          what: "sessions",
          why: "no session came from an address of theirs: they hold none, or something in between hides them",
        },
      };
    return this.version >= 180_000
      ? {}
      : { blindTo: { what: "writes", why: "a server before version 18 does not count by session" } };
  }

  private async lookOn(): Promise<void> {
    while (!this.isClosed && this.failure === undefined) {
      await this.lookOnce().catch((error: unknown) => {
        this.failure = error;
      });
      await pause(EVERY_MS);
    }
  }

  /** Resolves after a whole look more, and not before `ms` are over. Rejects with what a look failed of. */
  private async looked(signal: AbortSignal, ms: number): Promise<void> {
    const end = performance.now() + ms;
    do {
      signal.throwIfAborted();
      await pause(EVERY_MS);
    } while (performance.now() < end && this.failure === undefined);
    if (this.failure !== undefined) throw this.failure as Error;
    await this.lookOnce();
  }

  private async lookOnce(): Promise<void> {
    const clients = await this.options.clients();
    this.clients = clients;
    if (clients === undefined) return;
    const [by, known] =
      "addresses" in clients ? (["addresses", clients.addresses] as const) : (["ports", clients.ports] as const);
    if (known.size === 0) return;
    const rows = await this.db.query(look(this.version, by), [[...known]]);
    this.idleMs = Math.min(...rows.map((row) => Number(row["idle_ms"])), COUNTED_MS);
    for (const row of rows) this.note(row);
  }

  private note(row: Row): void {
    const key = `${String(row["pid"])} ${String(row["began"])}`;
    const session = `${String(row["name"])} (pid ${String(row["pid"])})`;
    this.seen.add(key);
    this.queries.set(key, String(row["query"]));
    const { records } = row;
    if (typeof records === "string") this.latest.set(key, BigInt(records));
    if (row["writes"] === true) this.add({ kind: "write", session, statement: String(row["query"]) });
    for (const lock of row["locks"] as readonly string[]) this.add({ kind: "advisory-lock", session, lock });
    for (const slot of row["slots"] as readonly string[]) this.add({ kind: "replication-slot", session, slot });
  }

  /** A reader may clear pages of dead rows, which is counted as well: only where a transaction wrote at all do they mean anything. */
  private countRecords(hasAnybodyWritten: boolean): void {
    for (const [key, records] of this.latest) {
      const [pid = ""] = key.split(" ");
      if (hasAnybodyWritten && records > (this.records.get(key) ?? 0n))
        this.add({ kind: "write", session: `pid ${pid}`, statement: this.queries.get(key) ?? "" });
    }
    this.records = new Map(this.latest);
  }

  private add(act: SessionAct): void {
    this.acts.set(JSON.stringify(act), act);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
