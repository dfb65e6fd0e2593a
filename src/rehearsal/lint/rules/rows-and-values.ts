import type { Rule } from "../seen.ts";

export const unboundedWrite: Rule = (act, { known }) =>
  act.kind !== "write" || act.isBounded || !known.isInUse(act.table)
    ? []
    : [
        {
          rule: "unbounded-write",
          message: `${act.verb.toUpperCase()} without a WHERE that bounds it locks every row of ${act.table} until the transaction ends`,
          lock: { mode: "ROW EXCLUSIVE", table: act.table },
          instead: "go through it in batches by key, each a short transaction, outside the one that changes tables",
        },
      ];

export const enumChanged: Rule = (act, { known }) => {
  if (act.kind === "rename-enum-value" && known.isInUse(act.type))
    return [
      {
        rule: "enum-changed",
        message: `the running release still writes '${act.value}', which ${act.type} no longer knows`,
        instead: "add a value, and leave the old one",
      },
    ];
  if (act.kind === "add-enum-value" && !act.isPlaced && known.isInUse(act.type))
    return [
      {
        rule: "enum-changed",
        message: `'${act.value}' comes last in ${act.type}, so what compares with < may mean something else`,
        instead: "place it with BEFORE or AFTER",
      },
    ];
  return [];
};

export const enumAddThenUse: Rule = (act, { statement, known }) => {
  // One finding for a statement, however many acts it has.
  if (act !== statement.acts[0]) return [];
  // The catalogue keeps the values as text, which may be compared at any time.
  const { relations, acts } = statement;
  const isReading = acts.every(({ kind }) => kind === "other");
  if (isReading && relations.length > 0 && relations.every((name) => name.startsWith("pg_"))) return [];
  const value = statement.literals.find((text) => known.enumOf(text) !== undefined);
  if (value === undefined) return [];
  return [
    {
      rule: "enum-add-then-use",
      message: `'${value}' was added to ${known.enumOf(value) ?? ""} in this transaction, and PostgreSQL refuses it until that ends (55P04)`,
      instead: "add it in a migration of its own, before this one",
    },
  ];
};

export const identifierTooLong: Rule = (act, { statement }) =>
  act !== statement.acts[0]
    ? []
    : statement.longNames.map(({ at, end, name }) => ({
        rule: "identifier-too-long",
        message: `${name} is cut to 63 bytes, so the object is called otherwise than the file says`,
        instead: "shorten it",
        at,
        end,
      }));
