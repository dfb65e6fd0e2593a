import { messageOf } from "../../../errors/message-of.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { ReferenceTable } from "../../../plan/model.ts";
import { NOT_THERE, type EnvironmentFact } from "../../../ports/facts.ts";
import type { Row } from "../connect.ts";
import { sqlState } from "../explain-error.ts";
import type { Look } from "./facts.ts";

/** More rows than these are no metadata: comparing them one by one helps nobody. */
const MOST_ROWS = 50_000;

/** The rows of the tables that the environment names, each by its key. Rejects `REFERENCE_UNREADABLE`. */
export async function referenceFacts(
  look: Look,
  tables: readonly ReferenceTable[],
): Promise<readonly EnvironmentFact[]> {
  const facts: EnvironmentFact[] = [];
  for (const table of tables) facts.push(...(await tableFacts(look, table)));
  return facts;
}

async function tableFacts(look: Look, table: ReferenceTable): Promise<readonly EnvironmentFact[]> {
  const name = `reference/${table.table.replace(/^public\./, "")}`;
  const columns = await columnsOf(look, table);
  if (columns === undefined) return [look.fact(name, "reference", NOT_THERE)];
  const lost = table.key.filter((column) => !columns.includes(column));
  if (lost.length > 0) return [look.fact(name, "reference", `${NOT_THERE}: no column ${lost.join(", ")}`)];
  const compared = columns.filter((column) => !table.key.includes(column) && !table.ignore.includes(column));
  const rows = await rowsOf(look, table, compared);
  const facts = rows.map((row) => look.fact(`${name}/${keyOf(row, table)}`, "reference", valueOf(row, compared)));
  refuseRepeated(
    facts.map(({ id }) => id),
    table,
  );
  return [look.fact(name, "reference", `by ${table.key.join(", ")}`), ...facts];
}

async function columnsOf({ reader }: Look, { table }: ReferenceTable): Promise<readonly string[] | undefined> {
  const [schema = "", name = ""] = table.split(".");
  const rows = await reader.query(COLUMNS, [schema, name]);
  return rows.length === 0 ? undefined : rows.map((row) => String(row["name"]));
}

const COLUMNS = `
select a.attname as name from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
 order by a.attname`;

/** Columns by number: `k0`, `k1` of the key, `c0`, `c1` of the rest. */
async function rowsOf({ reader }: Look, table: ReferenceTable, compared: readonly string[]): Promise<readonly Row[]> {
  const chosen = [
    ...table.key.map((column, index) => `${quoted(column)}::text as k${index}`),
    ...compared.map((column, index) => `${quoted(column)}::text as c${index}`),
  ];
  const from = table.table.split(".").map((part) => quoted(part));
  try {
    const rows = await reader.query(`select ${chosen.join(", ")} from ${from.join(".")} limit ${MOST_ROWS + 1}`);
    if (rows.length <= MOST_ROWS) return rows;
  } catch (cause) {
    if (sqlState(cause) !== "42501") throw cause;
    throw unreadable(`${table.table} cannot be read: ${messageOf(cause)}`, {
      hint: "grant the user of the address the right to select from it; where row security is in force, also bypassrls",
      cause,
    });
  }
  throw unreadable(`${table.table} has more than ${MOST_ROWS} rows`, {
    hint: "name tables under `reference` that hold metadata: instruments, limits, routes, and no rows of users",
  });
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** `BTC-USDT`, `main,7`. What would split an id in two is written as %2F; no value at all is %N. */
const keyOf = (row: Row, { key }: ReferenceTable): string =>
  key.map((_, index) => (typeof row[`k${index}`] === "string" ? escaped(String(row[`k${index}`])) : "%N")).join(",");

const escaped = (text: string): string =>
  text.replaceAll(/[%/,*\s\p{Cc}\p{Cf}]/gu, (character) => encodeURIComponent(character).replace("*", "%2A"));

const valueOf = (row: Row, compared: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    compared.flatMap((column, index) => {
      const value = row[`c${index}`];
      return typeof value === "string" ? [[column, value]] : [];
    }),
  );

function refuseRepeated(ids: readonly string[], { table, key }: ReferenceTable): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id))
      throw unreadable(`${table} holds several rows with the key ${id.slice(id.lastIndexOf("/") + 1)}`, {
        hint: `name more columns than ${key.join(", ")} as its \`key\`: a row must be found again by it`,
      });
    seen.add(id);
  }
}

const unreadable = (message: string, how: { readonly hint: string; readonly cause?: unknown }): UpgradeError =>
  new UpgradeError("REFERENCE_UNREADABLE", `the reference table ${message}`, how);
