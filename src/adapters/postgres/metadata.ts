import { randomInt } from "node:crypto";
import { Bug } from "../../errors/bug.ts";
import type { Migration } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import { fenceText } from "../../ports/fence.ts";
import type { Metadata } from "../../ports/metadata.ts";
import { BUDGETS } from "./budgets.ts";
import type { Budgets } from "./budgets.ts";
import { checkFiles, checkHistory, checkOrder } from "./check-history.ts";
import { connect } from "./connect.ts";
import type { Connection, Login } from "./connect.ts";
import { isLost, sqlState, unreachable } from "./explain-error.ts";
import { raiseFence } from "./fence.ts";
import { createHistory, readHistory } from "./history.ts";
import type { HistoryRow } from "./history.ts";
import { holdLock, passLock } from "./lock.ts";
import { luckFrom } from "./luck.ts";
import { observeWith, stateWith } from "./observe.ts";
import { runUmzug } from "./run-umzug.ts";
import type { Session } from "./session.ts";
import { targetOf } from "./target.ts";
import type { Target } from "./target.ts";
import { verifyWith } from "./verify.ts";

export type PostgresMetadataOptions = {
  readonly url: string;
  readonly clock: Clock;
  /** Of the jitter between tries. Default: luck. */
  readonly seed?: number;
  readonly budgets?: Partial<Budgets>;
};

type Store = { readonly target: Target; readonly budgets: Budgets; readonly clock: Clock; readonly luck: () => number };
type Order = Parameters<Metadata["migrate"]>[0];

/** The metadata in a PostgreSQL database. Every call opens its own sessions and ends them. Throws `SECRET_MALFORMED` for a URL that is none. */
export const postgresMetadata = ({
  url,
  clock,
  seed = randomInt(2 ** 31),
  budgets,
}: PostgresMetadataOptions): Metadata => {
  const store: Store = { target: targetOf(url), budgets: { ...BUDGETS, ...budgets }, clock, luck: luckFrom(seed) };
  return {
    observe: (migrations, signal) =>
      withConnection(store, { name: "midflight observe", settings: UNQUALIFIED }, signal, (db) =>
        untilWithdrawn(db, signal, () => observeWith(db, migrations)),
      ),
    migrate: (order, fence, signal) =>
      withConnection(store, { name: `midflight ${fenceText(fence)}`, settings: UNQUALIFIED }, signal, (keeper) =>
        migrate({ ...store, fence, signal, keeper, migrations: order.migrations }, order),
      ),
    verify: (names, migrations, signal) =>
      withConnection(store, { name: "midflight verify" }, signal, (db) =>
        untilWithdrawn(db, signal, () => verifyWith(db, store, names, migrations, signal)),
      ),
  };
};

const migrate = async (session: Session, order: Order): ReturnType<Metadata["migrate"]> => {
  await holdLock(session.keeper, "runner", session);
  // A runner that died may have left a change under way. Its end decides what the history says.
  await passLock(session.keeper, "worker", session);
  await createHistory(session.keeper);
  // From here on a conductor that was replaced is refused, even if there is nothing to do.
  await raiseFence(session.keeper, session.target, session.fence);
  const names = namesToDo(order, await readHistory(session.keeper));
  const reports = await runUmzug(session, order.direction, names);
  return { state: await stateWith(session.keeper, await readHistory(session.keeper)), reports };
};

/** What is left to do, in the order in which it is done. Throws `HISTORY_REWRITTEN`. */
const namesToDo = (order: Order, rows: readonly HistoryRow[]): readonly string[] => {
  if (order.direction === "up") return namesToApply(order, rows);
  const named = rows.filter((row) => order.names.includes(row.name));
  // A way back asks for its own files only: what others did to the rest must not hold it up.
  checkFiles(named, order.migrations);
  return named.map((row) => row.name).toReversed();
};

const namesToApply = ({ names, migrations }: Order, rows: readonly HistoryRow[]): readonly string[] => {
  const unknown = names.find((name) => !migrations.some((one) => one.name === name));
  if (unknown !== undefined) throw new Bug(`the migration ${unknown} was ordered, and its files were not handed over`);
  checkHistory(rows, migrations);
  checkOrder(names, rows, migrations);
  const applied = new Set(rows.filter((row) => row.state === "applied").map((row) => row.name));
  return migrations.map((one: Migration) => one.name).filter((name) => names.includes(name) && !applied.has(name));
};

/** Texts of the catalogue depend on the search_path, so it is empty where they are read. */
const UNQUALIFIED = { search_path: "" };
/** The server's own time-out says more than ours. */
const MARGIN_MS = 2_000;

// Whoever only reads may simply go; the server notices and stops.
const untilWithdrawn = async <T>(db: Connection, signal: AbortSignal, read: () => Promise<T>): Promise<T> => {
  const cut = (): void => db.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    return await read();
  } finally {
    signal.removeEventListener("abort", cut);
  }
};

const withConnection = async <T>(
  { target, budgets }: Store,
  login: Login,
  signal: AbortSignal,
  use: (db: Connection) => Promise<T>,
): Promise<T> => {
  const settings = { ...login.settings, statement_timeout: `${budgets.readMs}ms` };
  const db = await connect(target, { ...login, settings }, { ...budgets, readMs: budgets.readMs + MARGIN_MS }, signal);
  try {
    return await use(db);
  } catch (error) {
    signal.throwIfAborted();
    throw sqlState(error) !== undefined || isLost(error) ? unreachable(target, error) : error;
  } finally {
    await db.close();
  }
};
