import type { Clock } from "../../ports/clock.ts";
import type { Connection } from "./connect.ts";

/** Watches who is in the way of a session. Once a lock time-out has struck it is too late to ask. */
export type BlockerWatch = {
  /** Ends the watch. Who was seen last, in words; undefined if nobody was. */
  stop(): Promise<string | undefined>;
};

/** Asks through `keeper` every `everyMs`, first after that time, so that a quick change costs no question. */
export const watchBlockers = (keeper: Connection, pid: number, clock: Clock, everyMs: number): BlockerWatch => {
  const stopped = new AbortController();
  let seen: string | undefined;
  const watch = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(everyMs, stopped.signal);
      seen = (await describeBlockers(keeper, pid)) ?? seen;
    }
  };
  // Not to know who blocks must not fail a migration.
  const done = watch().catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await done;
      return seen;
    },
  };
};

const describeBlockers = async (keeper: Connection, pid: number): Promise<string | undefined> => {
  const rows = await keeper.query(BLOCKERS, [pid]);
  return rows.length === 0 ? undefined : rows.map((row) => String(row["who"])).join("; ");
};

// The text of the query stays out: it may hold what users entered. A prepared transaction has the pid 0 and no session.
const BLOCKERS = `
select case when b.pid = 0 then 'a prepared transaction (see pg_prepared_xacts)' else pg_catalog.concat(
         'pid ', b.pid, ' (', coalesce(nullif(a.application_name, ''), 'no application_name'), ', user ', a.usename, '), ', coalesce(a.state, 'state not shown to this user'),
         ', query begun ' || pg_catalog.to_char(a.query_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
         ', transaction begun ' || pg_catalog.to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) end as who
  from (select distinct pid from pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) as pid limit 3) as b left join pg_catalog.pg_stat_activity a on a.pid = b.pid`;
