import type { EnvironmentFact } from "../../../ports/facts.ts";
import type { Look } from "./facts.ts";
import { textOf } from "./text-of.ts";

/** Objects that the catalogue's fingerprint leaves out, because no migration's way back is judged by them. */
export async function objectFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  const rows = await reader.query(OBJECTS);
  return rows.map((row) => fact(`schema/${String(row["name"])}`, "schema", textOf(row["text"], ""), "warn"));
}

const OBJECTS = `
with ns as (select oid, nspname from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'midflight'))
select 'statistics/' || nspname || '.' || stxname as name, pg_catalog.pg_get_statisticsobjdef(s.oid) as text
  from pg_catalog.pg_statistic_ext s join ns on ns.oid = stxnamespace
union all select 'publication/' || pubname,
       pg_catalog.concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate,
         (select pg_catalog.string_agg(schemaname || '.' || tablename, ',' order by schemaname, tablename)
            from pg_catalog.pg_publication_tables t where t.pubname = p.pubname)) from pg_catalog.pg_publication p
union all select 'event-trigger/' || evtname, pg_catalog.concat_ws(' ', evtevent, evtenabled, evtfoid::regproc, evttags::text)
  from pg_catalog.pg_event_trigger`;
