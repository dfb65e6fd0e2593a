import { hash } from "node:crypto";
import { NOT_THERE, type EnvironmentFact, type FactValue } from "../../ports/facts.ts";

/** Facts without a row of anybody's: of each reference table only how many rows it has, and a digest of them, which tells that one changed. */
export const withoutRows = (facts: readonly EnvironmentFact[]): readonly EnvironmentFact[] => folded(facts, () => true);

/** The same for tables with more rows than this: a certificate names what changed, and need not be a copy of a table. */
export const withoutManyRows = (facts: readonly EnvironmentFact[], mostRows: number): readonly EnvironmentFact[] =>
  folded(facts, (rows) => rows.length > mostRows);

function folded(
  facts: readonly EnvironmentFact[],
  isFolded: (rows: readonly EnvironmentFact[]) => boolean,
): readonly EnvironmentFact[] {
  const rowsByTable = Map.groupBy(facts.filter(isRow), ({ id }) => tableOf(id));
  return facts.flatMap((fact) => {
    if (isRow(fact)) return isFolded(rowsByTable.get(tableOf(fact.id)) ?? []) ? [] : [fact];
    if (!isTable(fact) || typeof fact.value !== "string" || fact.value.startsWith(NOT_THERE)) return [fact];
    const rows = rowsByTable.get(fact.id) ?? [];
    return isFolded(rows)
      ? [{ ...fact, value: { by: fact.value, rows: String(rows.length), digest: digestOf(rows) } }]
      : [fact];
  });
}

/** `orders-db/reference/instruments` is a table, `orders-db/reference/instruments/BTC-USDT` a row of it. A key holds no slash. */
const isTable = ({ group, id }: EnvironmentFact): boolean => group === "reference" && id.split("/").length === 3;
export const isRow = ({ group, id }: EnvironmentFact): boolean => group === "reference" && id.split("/").length === 4;
const tableOf = (id: string): string => id.slice(0, id.lastIndexOf("/"));

const digestOf = (rows: readonly EnvironmentFact[]): string => {
  const texts = rows.map(({ id, value }) => `${id} ${canonical(value)}`).toSorted();
  return `sha256:${hash("sha256", JSON.stringify(texts), "hex")}`;
};

/** One text for one value, whatever the order of its names. */
export const canonical = (value: FactValue): string =>
  typeof value === "string" ? value : JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
