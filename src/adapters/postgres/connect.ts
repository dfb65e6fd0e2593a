import { Socket } from "node:net";
import { Client } from "pg";
import type { CustomTypesConfig, QueryArrayConfig } from "pg";
import type { Budgets } from "./budgets.ts";
import { isLost, sqlState, unreachable } from "./explain-error.ts";
import type { Target } from "./target.ts";

export type Row = Readonly<Record<string, unknown>>;

/** One session of the server. When it dies, its queries reject and nothing else happens. */
export type Connection = {
  readonly pid: number;
  isBusy(): boolean;
  /** `timeoutMs`: when the server is given up. Without values the text may hold several statements; their rows are then lost. With a list of values, even an empty one, it is exactly one. */
  query(text: string, values?: readonly unknown[], timeoutMs?: number): Promise<readonly Row[]>;
  /** As `query` for one statement, with what the driver of a release sees of its result. */
  ask(question: Question): Promise<Reply>;
  /** Cuts the line at once. */
  destroy(): void;
  /** Takes leave, for a second at most. */
  close(): Promise<void>;
};

/** `name`: kept as a prepared statement of the session. */
export type Question = {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name?: string;
  readonly timeoutMs?: number;
};

/** Values as the server wrote them. `hits`: rows that came back or were written. */
export type Reply = {
  readonly rows: readonly (readonly (string | null)[])[];
  readonly columns: readonly { readonly name: string; readonly type: number }[];
  readonly hits: number;
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
  const watched = async <T>(send: () => Promise<T>): Promise<T> => {
    running += 1;
    try {
      return await send();
    } catch (error) {
      // The server may still be at work on it, so nothing that comes on this line can be told apart any more.
      if (error instanceof Error && error.message === READ_TIMEOUT) socket.destroy();
      // The first error says why; what follows only says that the line is dead.
      throw lost !== undefined && !hasSqlState(error) ? lost : error;
    } finally {
      running -= 1;
    }
  };
  return {
    pid: 0,
    isBusy: () => running > 0,
    query: (text, values, timeoutMs = budgets.readMs) =>
      watched(async () => {
        const query = {
          text,
          query_timeout: timeoutMs,
          ...(values !== undefined && { values: [...values], queryMode: "extended" }),
        };
        const result = await client.query<Row>(query);
        return result.rows ?? [];
      }),
    ask: ({ text, values, name, timeoutMs = budgets.readMs }) =>
      watched(async () => {
        const result = await client.query<(string | null)[]>({
          text,
          values: [...values],
          rowMode: "array",
          queryMode: "extended",
          types: AS_WRITTEN,
          query_timeout: timeoutMs,
          ...(name !== undefined && { name }),
        } as QueryArrayConfig);
        return {
          rows: result.rows,
          columns: result.fields.map((field) => ({ name: field.name, type: field.dataTypeID })),
          hits: result.rowCount ?? 0,
        };
      }),
    destroy: () => void socket.destroy(),
    close: () => takeLeave(client, socket),
  };
};

const AS_WRITTEN: CustomTypesConfig = { getTypeParser: () => (value: string) => value };

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
