import type { StoreLook } from "../../../ports/trials.ts";
import { fingerprintOf, readCatalogue } from "../catalogue.ts";
import type { Connection } from "../connect.ts";
import { LONG_MS } from "./ground.ts";

/** Tables with more rows are counted by the planner's estimate and not read. */
const MOST_ROWS = 2_000_000;

/** Structure and rows. `db` has an empty search_path. The digest knows neither the order of rows nor that of columns. */
export const lookAt = async (db: Connection): Promise<StoreLook> => {
  const catalogue = await readCatalogue(db);
  const tables: StoreLook["tables"][number][] = [];
  for (const row of await db.query(TABLES)) {
    const name = String(row["name"]);
    const guess = Number(row["guess"]);
    if (guess > MOST_ROWS) {
      tables.push({ name, rows: guess });
      continue;
    }
    const [sum] = await db.query(
      `select count(*)::float8 as rows, coalesce(sum(pg_catalog.hashtextextended(pg_catalog.to_jsonb(t)::text, 0)::numeric), 0)::text as digest from ${name} t`,
      undefined,
      LONG_MS,
    );
    tables.push({ name, rows: Number(sum?.["rows"]), digest: String(sum?.["digest"]) });
  }
  return {
    fingerprint: fingerprintOf(catalogue),
    objects: catalogue.map(({ k, n, d }) => ({ kind: k, name: n, what: d ?? "" })),
    tables,
  };
};

const TABLES = `
select pg_catalog.format('%I.%I', n.nspname, c.relname) as name, c.reltuples::float8 as guess
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'midflight') order by 1`;
