import { randomBytes } from "node:crypto";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Connection } from "../connect.ts";
import { LONG_MS } from "./ground.ts";
import type { Content } from "./template.ts";

/**
 * Leaves of each table some rows and all that these refer to, and hides columns. Nothing of what went can be read in the files
 * afterwards. Rejects `TRIAL_MASK` for a column that cannot be hidden.
 */
export const thin = async (db: Connection, content: Content): Promise<void> => {
  const tables = await tablesOf(db);
  const masks = await masksOf(db, content.mask);
  // Pages that hold what was deleted or hidden are written anew, and the planner's samples with them.
  await db.query("begin; set local search_path = ''", undefined, LONG_MS);
  await quietTriggers(db, async () => {
    if (content.rows !== "all") await sample(db, tables, content.rows);
    for (const { table, assignments } of masks)
      await db.query(`update ${table} set ${assignments.join(", ")}`, undefined, LONG_MS);
  });
  await db.query("commit", undefined, LONG_MS);
  for (const table of tables) await db.query(`vacuum (full, analyze) ${table.name}`, undefined, LONG_MS);
};

type Table = { readonly oid: number; readonly name: string };

// Of a partitioned table only the whole: its rows are known by the partition and their place in it.
const tablesOf = async (db: Connection): Promise<readonly Table[]> =>
  (
    await db.query(
      `select c.oid::int as oid, format('%I.%I', n.nspname, c.relname) as name
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'midflight') order by 2`,
    )
  ).map((row) => ({ oid: Number(row["oid"]), name: String(row["name"]) }));

// Deletes and updates here are no users'.
const quietTriggers = async (db: Connection, work: () => Promise<void>): Promise<void> => {
  const triggers = await db.query(
    `select format('%I.%I', n.nspname, c.relname) as table, format('%I', t.tgname) as name, t.tgenabled::text as enabled
       from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where not t.tgisinternal and t.tgparentid = 0 and t.tgenabled <> 'D' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'midflight')`,
  );
  for (const row of triggers)
    await db.query(`alter table ${String(row["table"])} disable trigger ${String(row["name"])}`);
  await work();
  for (const row of triggers) {
    const how = { O: "enable", R: "enable replica", A: "enable always" }[String(row["enabled"])] ?? "enable";
    // What is due at the end of the transaction has its say now: a table with open checks cannot be altered.
    await db.query(`set constraints all immediate`);
    await db.query(`alter table ${String(row["table"])} ${how} trigger ${String(row["name"])}`);
  }
};

const sample = async (db: Connection, tables: readonly Table[], rows: number): Promise<void> => {
  const run = (text: string): Promise<unknown> => db.query(text, undefined, LONG_MS);
  await run("create temp table kept (root int, part oid, place tid, primary key (root, part, place)) on commit drop");
  // Spread over the table and the same each time: neighbours are often of one kind.
  for (const { oid, name } of tables)
    await run(
      `insert into pg_temp.kept select ${oid}, t.tableoid, t.ctid from ${name} t order by pg_catalog.hashtext(t.ctid::text), t.tableoid, t.ctid limit ${rows}`,
    );
  const links = await linksOf(db);
  for (let added = 1; added > 0;) {
    added = 0;
    for (const link of links) added += await follow(db, link);
  }
  // In one statement, since rows may refer to each other: the checks come at its end.
  const deletions = tables.map(
    ({ oid, name }, index) =>
      `d${index} as (delete from ${name} t where not exists (select from pg_temp.kept k where k.root = ${oid} and k.part = t.tableoid and k.place = t.ctid))`,
  );
  if (deletions.length > 0) await run(`with ${deletions.join(", ")} select 1`);
};

/** A foreign key: whose rows need whose. */
type Link = {
  readonly child: Table;
  readonly parent: Table;
  readonly columns: readonly { readonly child: string; readonly parent: string }[];
};

const linksOf = async (db: Connection): Promise<readonly Link[]> => {
  const rows = await db.query(
    `select k.conrelid::int as child, format('%I.%I', cn.nspname, c.relname) as child_name, k.confrelid::int as parent, format('%I.%I', pn.nspname, p.relname) as parent_name,
            (select array_agg(format('%I', a.attname) order by u.at) from unnest(k.conkey) with ordinality u (num, at) join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num) as child_columns,
            (select array_agg(format('%I', a.attname) order by u.at) from unnest(k.confkey) with ordinality u (num, at) join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num) as parent_columns
       from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
       join pg_catalog.pg_class p on p.oid = k.confrelid join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
      where k.contype = 'f' and k.conparentid = 0 and not c.relispartition and not p.relispartition`,
  );
  return rows.map((row) => {
    const [children, parents] = [row["child_columns"] as readonly string[], row["parent_columns"] as readonly string[]];
    return {
      child: { oid: Number(row["child"]), name: String(row["child_name"]) },
      parent: { oid: Number(row["parent"]), name: String(row["parent_name"]) },
      columns: children.map((child, index) => ({ child, parent: parents[index] ?? child })),
    };
  });
};

const follow = async (db: Connection, { child, parent, columns }: Link): Promise<number> => {
  const match = columns.map((column) => `p.${column.parent} = c.${column.child}`).join(" and ");
  const reply = await db.ask({
    text: `insert into pg_temp.kept select distinct ${parent.oid}, p.tableoid, p.ctid from ${parent.name} p join ${child.name} c on ${match}
             join pg_temp.kept k on k.root = ${child.oid} and k.part = c.tableoid and k.place = c.ctid on conflict do nothing`,
    values: [],
    timeoutMs: LONG_MS,
  });
  return reply.hits;
};

type Mask = { readonly table: string; readonly assignments: readonly string[] };

const masksOf = async (db: Connection, names: readonly string[]): Promise<readonly Mask[]> => {
  // Kept nowhere, so that nobody can try what a value was.
  const salt = randomBytes(16).toString("hex");
  const found = await Promise.all(names.map((name) => maskOf(db, name, salt)));
  return [...Map.groupBy(found, ({ table }) => table)].map(([table, all]) => ({
    table,
    assignments: all.map(({ assignment }) => assignment),
  }));
};

const maskOf = async (db: Connection, name: string, salt: string) => {
  const at = name.lastIndexOf(".");
  const [row] = await db.query(COLUMN, [name.slice(0, at), name.slice(at + 1)]);
  if (row === undefined)
    throw unmaskable(name, "there is no such column", "name it as `table.column`, or with its schema");
  if (row["referred"] === true)
    throw unmaskable(
      name,
      "a foreign key uses it, and rows would lose each other",
      "mask what tells of a person, not what rows are known by",
    );
  if (row["generated"] === true) throw unmaskable(name, "it is generated from other columns", "mask those");
  const column = String(row["column"]);
  const value = maskedValue(String(row["type"]), column, salt);
  if (value === undefined && row["required"] === true)
    throw unmaskable(
      name,
      `it is a required ${String(row["type"])}, for which there is no value that says nothing`,
      "leave the column out of `mask`, or rehearse on a copy without it",
    );
  return { table: String(row["table"]), assignment: `${column} = ${value ?? "null"}` };
};

// As long as the value was, and another for another value: what must be unique stays so.
const maskedValue = (type: string, column: string, salt: string): string | undefined => {
  const digest = `pg_catalog.md5('${salt}' || ${column}::text)`;
  if (/^(text|character)/.test(type))
    return `pg_catalog.left(pg_catalog.repeat(${digest}, 1 + pg_catalog.length(${column}) / 32), pg_catalog.greatest(pg_catalog.length(${column}), 1))`.replace(
      "pg_catalog.greatest",
      "greatest",
    );
  if (type === "uuid") return `${digest}::uuid`;
  if (type === "bytea") return `pg_catalog.decode(${digest}, 'hex')`;
  if (/^jsonb?$/.test(type)) return `pg_catalog.to_json${type === "jsonb" ? "b" : ""}(${digest})`;
  return undefined;
};

const COLUMN = `
select format('%I.%I', n.nspname, c.relname) as table, format('%I', a.attname) as column, pg_catalog.format_type(a.atttypid, null) as type,
       a.attnotnull as required, a.attgenerated <> '' as generated,
       exists (select from pg_catalog.pg_constraint k where k.contype = 'f' and (k.conrelid = c.oid and a.attnum = any (k.conkey) or k.confrelid = c.oid and a.attnum = any (k.confkey))) as referred
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relkind in ('r', 'p') and $1::text in (c.relname::text, n.nspname || '.' || c.relname) and a.attname::text = $2 and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'midflight')
 order by n.nspname <> 'public', 1 limit 1`;

const unmaskable = (name: string, why: string, hint: string): UpgradeError =>
  new UpgradeError("TRIAL_MASK", `${name} cannot be masked: ${why}`, { hint });
