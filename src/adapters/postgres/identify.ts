import type { StoreIdentity } from "../../ports/trials.ts";
import { openReader } from "./read-only.ts";
import type { Reader } from "./read-only.ts";
import { targetOf } from "./target.ts";

/** Who answers at an address. Never writes, so it may be asked of production. Rejects `METADATA_UNREACHABLE`. */
export const identify = async (url: string, signal: AbortSignal): Promise<StoreIdentity> => {
  const reader = await openReader(url, { name: "midflight identity" }, signal);
  try {
    return { place: targetOf(url).place, ...(await identityOf(reader)) };
  } finally {
    await reader.close();
  }
};

export const identityOf = async (reader: Pick<Reader, "query">): Promise<Omit<StoreIdentity, "place">> => {
  const [row] = await reader.query(IDENTITY);
  return {
    system: String(row?.["system"]),
    startedAt: String(row?.["started"]),
    database: String(row?.["database"]),
    isStandby: row?.["standby"] === true,
  };
};

const IDENTITY = `
select (select system_identifier::text from pg_catalog.pg_control_system()) as system,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as started,
       (select oid::text from pg_catalog.pg_database where datname = pg_catalog.current_database()) as database, pg_catalog.pg_is_in_recovery() as standby`;
