import { BUDGETS } from "./budgets.ts";
import type { Budgets } from "./budgets.ts";
import { connect } from "./connect.ts";
import type { Login, Row } from "./connect.ts";
import { targetOf } from "./target.ts";

/** A session through which nothing can be written, whatever it is asked. */
export type Reader = {
  /** One statement, in a read-only transaction of its own. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
};

/**
 * Looks at a store that must not be touched. The session is read-only by default, and each statement stands alone in a read-only
 * transaction: one that would lift this is refused by the server, or forgotten with its transaction. Rejects `METADATA_UNREACHABLE`.
 */
export async function openReader(
  url: string,
  login: Login,
  signal: AbortSignal,
  budgets: Budgets = BUDGETS,
): Promise<Reader> {
  const db = await connect(
    targetOf(url),
    { ...login, settings: { ...login.settings, default_transaction_read_only: "on", search_path: "" } },
    budgets,
    signal,
  );
  const cut = (): void => db.destroy();
  signal.addEventListener("abort", cut, { once: true });
  return {
    async query(text, values = []) {
      signal.throwIfAborted();
      // After a first query the mode of a transaction cannot be changed any more.
      await db.query("begin transaction read only; select 1");
      try {
        return await db.query(text, values);
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        await db.query("rollback").catch(() => db.destroy());
      }
    },
    close() {
      signal.removeEventListener("abort", cut);
      return db.close();
    },
  };
}
