import type { EnvironmentFact } from "../../../ports/facts.ts";
import type { Look } from "./facts.ts";

/** How large tables are, by the server's own estimate: what is quick in demo may take hours where there are a thousand times as many rows. */
export async function sizeFacts({ reader, fact }: Look): Promise<readonly EnvironmentFact[]> {
  const rows = await reader.query(SIZES);
  return rows.map((row) => ({
    ...fact(`size/${String(row["name"])}`, "sizes", { rows: String(row["rows"]), bytes: String(row["bytes"]) }, "info"),
    rule: "scale" as const,
  }));
}

const SIZES = `
select n.nspname || '.' || c.relname as name, greatest(c.reltuples, 0)::bigint::text as rows,
       pg_catalog.pg_total_relation_size(c.oid)::text as bytes
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'midflight') order by 1`;
