import { createHash } from "node:crypto";
import type { Connection } from "./connect.ts";

/** One fact of the catalogue: kind of object, its name, what it is. */
export type CatalogueRow = { readonly k: string; readonly n: string; readonly d: string | undefined };

/**
 * Everything that a release could notice of the structure; our own schema is left out, or up and down could not match.
 * `db` must have an empty search_path, since the texts depend on it. Compare only within one major version of the server.
 */
export const readCatalogue = async (db: Pick<Connection, "query">): Promise<readonly CatalogueRow[]> => {
  const rows = await db.query(CATALOGUE);
  return rows
    .map((row) => ({
      k: String(row["k"]),
      n: String(row["n"]),
      d: typeof row["d"] === "string" ? row["d"] : undefined,
    }))
    .toSorted(byName);
};

/** `sha256:<64 hex>` over the catalogue. */
export const fingerprintOf = (rows: readonly CatalogueRow[]): string => {
  const hash = createHash("sha256");
  for (const row of rows) hash.update(`${JSON.stringify([row.k, row.n, row.d ?? null])}\n`);
  return `sha256:${hash.digest("hex")}`;
};

/** As `readCatalogue`, for a connection inside a transaction whose search_path is another. */
export const fingerprintWithin = async (db: Connection): Promise<string> => {
  await db.query("set local search_path to ''");
  const fingerprint = fingerprintOf(await readCatalogue(db));
  await db.query("set local search_path to default");
  return fingerprint;
};

// Sorted here and not by the server, whose order depends on its locale.
const byName = (a: CatalogueRow, b: CatalogueRow): number =>
  compare(a.k, b.k) || compare(a.n, b.n) || compare(a.d ?? "", b.d ?? "");
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

// acldefault: a grant that was taken back leaves relacl filled where it was NULL before.
const CATALOGUE = `
with ns as (select oid, nspname as s from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> 'midflight'),
     rel as (select c.*, s, s || '.' || c.relname as n from pg_class c join ns on ns.oid = c.relnamespace)
select 'rel' as k, n, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions::text, pg_get_expr(relpartbound, oid)) as d from rel
union all select 'col', n || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
  from rel join pg_attribute on attrelid = rel.oid and attnum > 0 and not attisdropped left join pg_attrdef on adrelid = rel.oid and adnum = attnum where relkind in ('r','p','v','m','f')
union all select 'con', s || '.' || coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || '.' || conname, pg_get_constraintdef(c.oid) || ' ' || convalidated from pg_constraint c join ns on ns.oid = connamespace
union all select 'idx', n, pg_get_indexdef(indexrelid) || ' ' || indisvalid from pg_index join rel on rel.oid = indexrelid
union all select 'trg', n || '.' || tgname, pg_get_triggerdef(t.oid) || ' ' || tgenabled::text from pg_trigger t join rel on rel.oid = tgrelid where not tgisinternal
union all select 'pol', n || '.' || polname, concat_ws(' ', polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy join rel on rel.oid = polrelid
union all select 'fun', s || '.' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', md5(pg_get_functiondef(p.oid)) from pg_proc p join ns on ns.oid = pronamespace where prokind in ('f','p')
union all select 'view', n, md5(pg_get_viewdef(oid)) from rel where relkind in ('v','m')
union all select 'enum', enumtypid::regtype::text, string_agg(enumlabel, ',' order by enumsortorder) from pg_enum group by enumtypid
union all select 'seq', n, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcycle) from pg_sequence join rel on rel.oid = seqrelid
union all select 'acl', n, (select string_agg(x::text, ',' order by x::text collate "C") from unnest(coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))) x) from rel where relkind in ('r','p','v','m','S')`;
