import type { MetadataState } from "../../graph/observation.ts";
import type { Migration } from "../../plan/model.ts";
import { fingerprintOf, readCatalogue } from "./catalogue.ts";
import { checkHistory } from "./check-history.ts";
import type { Connection } from "./connect.ts";
import { sqlState } from "./explain-error.ts";
import { readHistory, sumOf } from "./history.ts";
import type { HistoryRow } from "./history.ts";

/** Looks, and writes nothing. `db` has an empty search_path. Rejects `HISTORY_REWRITTEN`, and errors of the server. */
export const observeWith = async (db: Connection, migrations: readonly Migration[]): Promise<MetadataState> => {
  const history = await readHistory(db);
  checkHistory(history, migrations);
  return stateWith(db, history);
};

/** The same without the judgement: after a way back, what others did to other files is not its business. */
export const stateWith = async (db: Connection, history: readonly HistoryRow[]): Promise<MetadataState> => {
  const applied = history
    .filter((row) => row.state === "applied")
    .map((row) => ({ name: row.name, sha256: sumOf(row.sums) }));
  const fingerprint = fingerprintOf(await readStable(db));
  const [row] = await db.query("select pg_catalog.current_setting('server_version') as version");
  return { fingerprint, applied, server: `PostgreSQL ${String(row?.["version"])}` };
};

// An object that somebody drops while the catalogue is read makes the server stumble over its missing parts.
export const readStable = async (db: Pick<Connection, "query">): ReturnType<typeof readCatalogue> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readCatalogue(db);
    } catch (error) {
      if (tries === 3 || sqlState(error) !== "XX000") throw error;
    }
  }
};
