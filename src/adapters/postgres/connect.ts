import { Socket } from "node:net";
import { Client } from "pg";
import type { Budgets } from "./budgets.ts";
import { isLost, sqlState, unreachable } from "./explain-error.ts";
import type { Target } from "./target.ts";

export type Row = Readonly<Record<string, unknown>>;

/** One session of the server. When it dies, its queries reject and nothing else happens. */
export type Connection = {
  readonly pid: number;
  isBusy(): boolean;
  /** `timeoutMs`: when the server is given up. Without values the text may hold several statements; their rows are then lost. */
  query(text: string, values?: readonly unknown[], timeoutMs?: number): Promise<readonly Row[]>;
  /** Cuts the line at once. */
  destroy(): void;
  /** Takes leave, for a second at most. */
  close(): Promise<void>;
};

export type Login = {
  /** Shown in pg_stat_activity, so that a person sees who it is. */
  readonly name: string;
  readonly settings?: Readonly<Record<string, string>>;
};

const GOODBYE_MS = 1_000;
/** As pg words it. */
const READ_TIMEOUT = "Query read timeout";

/** Rejects `METADATA_UNREACHABLE`, or with the signal's reason. */
export const connect = async (
  target: Target,
  login: Login,
  budgets: Budgets,
  signal: AbortSignal,
): Promise<Connection> => {
  signal.throwIfAborted();
  const socket = new Socket();
  const client = new Client({
    connectionString: target.url,
    stream: () => socket,
    connectionTimeoutMillis: budgets.connectMs,
    keepAlive: true,
  });
  const connection = connectionOf(client, socket, budgets);
  const cut = (): void => connection.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    await client.connect();
    await configure(connection, login);
    return { ...connection, pid: await pidOf(connection) };
  } catch (cause) {
    connection.destroy();
    signal.throwIfAborted();
    throw unreachable(target, cause);
  } finally {
    signal.removeEventListener("abort", cut);
  }
};

const connectionOf = (client: Client, socket: Socket, budgets: Budgets): Connection => {
  let running = 0;
  let lost: Error | undefined;
  // Without a listener the death of a session would be the death of this process.
  client.on("error", (error) => {
    lost ??= error;
  });
  return {
    pid: 0,
    isBusy: () => running > 0,
    async query(text, values, timeoutMs = budgets.readMs) {
      running += 1;
      try {
        const query = { text, query_timeout: timeoutMs, ...(values !== undefined && { values: [...values] }) };
        const result = await client.query<Row>(query);
        return result.rows ?? [];
      } catch (error) {
        // The server may still be at work on it, so nothing that comes on this line can be told apart any more.
        if (error instanceof Error && error.message === READ_TIMEOUT) socket.destroy();
        // The first error says why; what follows only says that the line is dead.
        throw lost !== undefined && !hasSqlState(error) ? lost : error;
      } finally {
        running -= 1;
      }
    },
    destroy: () => void socket.destroy(),
    close: () => takeLeave(client, socket),
  };
};

const hasSqlState = (error: unknown): boolean => typeof error === "object" && error !== null && "severity" in error;

const takeLeave = async (client: Client, socket: Socket): Promise<void> => {
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  try {
    await client.end();
  } catch {
    // It was gone before us.
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
};

const configure = async (connection: Connection, login: Login): Promise<void> => {
  const settings = { application_name: login.name, ...login.settings };
  await set(connection, settings);
  try {
    await set(connection, WATCH_FOR_US);
  } catch (error) {
    // A server on a system that cannot tell refuses it, and works all the same.
    if (sqlState(error) === undefined || isLost(error)) throw error;
  }
};

/** What a dead process of ours has left running ends within a second, with its locks. */
const WATCH_FOR_US = { client_connection_check_interval: "1s" };

// A setting that this server does not know is left out, such as one of a later version.
const set = async (connection: Connection, settings: Readonly<Record<string, string>>): Promise<void> => {
  await connection.query(
    `select set_config(s.name, w.value, false) from unnest($1::text[], $2::text[]) as w (name, value) join pg_catalog.pg_settings s on s.name = w.name`,
    [Object.keys(settings), Object.values(settings)],
  );
};

const pidOf = async (connection: Connection): Promise<number> => {
  const [row] = await connection.query("select pg_catalog.pg_backend_pid() as pid");
  return Number(row?.["pid"]);
};
