import type { Node } from "libpg-query";
import type { Column, Constraint } from "../../../ports/sql-reader.ts";
import { callsIn, rangeName, typeName, wordsOf, type Constr, type Of } from "./tree.ts";

/** Undefined for what constrains nothing, such as a default. `column` is the one whose definition holds it. */
export function constraintOf(tree: Constr, column?: string): Constraint | undefined {
  const name = tree.conname === undefined ? {} : { name: tree.conname };
  const isValidated = tree.skip_validation !== true;
  switch (tree.contype) {
    case "CONSTR_CHECK": {
      // A check that is not enforced looks at no row.
      const notNull = notNullOf(tree.raw_expr);
      return {
        kind: "check",
        ...name,
        isValidated: isValidated && tree.is_enforced !== false,
        ...(notNull === undefined ? {} : { notNull }),
      };
    }
    case "CONSTR_NOTNULL":
      return { kind: "not-null", ...name, column: column ?? wordsOf(tree.keys)[0] ?? "", isValidated };
    case "CONSTR_FOREIGN":
      return { kind: "foreign-key", ...name, references: rangeName(tree.pktable), isValidated };
    case "CONSTR_PRIMARY":
    case "CONSTR_UNIQUE":
      return {
        kind: "unique",
        ...name,
        isPrimary: tree.contype === "CONSTR_PRIMARY",
        ...(tree.indexname === undefined ? {} : { usingIndex: tree.indexname }),
      };
    case "CONSTR_EXCLUSION":
      return { kind: "exclude", ...name };
    case "CONSTR_NULL":
    case "CONSTR_DEFAULT":
    case "CONSTR_IDENTITY":
    case "CONSTR_GENERATED":
    case "CONSTR_ATTR_DEFERRABLE":
    case "CONSTR_ATTR_NOT_DEFERRABLE":
    case "CONSTR_ATTR_DEFERRED":
    case "CONSTR_ATTR_IMMEDIATE":
    case "CONSTR_ATTR_ENFORCED":
    case "CONSTR_ATTR_NOT_ENFORCED":
    case undefined:
      return undefined;
  }
}

export function columnOf(tree: Of<"ColumnDef">): Column {
  const parts = (tree.constraints ?? []).flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
  const fallback = parts.find((part) => part.contype === "CONSTR_DEFAULT")?.raw_expr;
  const generated = generatedOf(parts);
  const name = tree.colname ?? "";
  return {
    name,
    type: typeName(tree.typeName),
    isRequired: parts.some((part) => part.contype === "CONSTR_NOTNULL" || part.contype === "CONSTR_PRIMARY"),
    ...(fallback === undefined ? {} : { defaultCalls: callsIn(fallback) }),
    ...(generated === undefined ? {} : { generated }),
    constraints: parts.flatMap((part) => {
      const found = constraintOf(part, name);
      return found === undefined ? [] : [found];
    }),
  };
}

function generatedOf(parts: readonly Constr[]): Column["generated"] {
  for (const part of parts) {
    if (part.contype === "CONSTR_IDENTITY") return "identity";
    if (part.contype === "CONSTR_GENERATED") return part.generated_kind === "s" ? "stored" : "virtual";
  }
  return undefined;
}

/** The column of `column is not null`; of several joined by AND none, which only asks for more care than needed. */
function notNullOf(tree: Node | undefined): string | undefined {
  if (tree === undefined || !("NullTest" in tree) || tree.NullTest.nulltesttype !== "IS_NOT_NULL") return undefined;
  const { arg } = tree.NullTest;
  return arg !== undefined && "ColumnRef" in arg ? wordsOf(arg.ColumnRef.fields).at(-1) : undefined;
}
