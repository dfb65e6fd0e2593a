import type { Node } from "libpg-query";
import type { Act } from "../../../ports/sql-reader.ts";
import { isRecord, rangeName, walk } from "./tree.ts";

/** Every INSERT, UPDATE, DELETE and MERGE of a statement, also those in WITH, in EXPLAIN ANALYZE or in PREPARE, which is there to be executed. */
export function writesOf(tree: Node): readonly Act[] {
  // A function's body and a rule's action are not run by the statement that stores them.
  if ("CreateFunctionStmt" in tree || "RuleStmt" in tree || isOnlyExplained(tree)) return [];
  const acts: Act[] = [];
  walk(tree, (kind, fields) => {
    const verb = VERBS[kind];
    if (verb === undefined) return;
    acts.push({
      kind: "write",
      verb,
      table: rangeName(isRecord(fields["relation"]) ? fields["relation"] : undefined),
      isBounded: verb === "insert" || verb === "merge" || !isAlways(fields["whereClause"]),
      isFromQuery: verb === "merge" || (verb === "insert" && !hasRowsInText(fields["selectStmt"])),
    });
  });
  return acts;
}

const isOnlyExplained = (tree: Node): boolean =>
  "ExplainStmt" in tree &&
  !(tree.ExplainStmt.options ?? []).some((option) => "DefElem" in option && option.DefElem.defname === "analyze");

const VERBS: Readonly<Record<string, "insert" | "update" | "delete" | "merge">> = {
  InsertStmt: "insert",
  UpdateStmt: "update",
  DeleteStmt: "delete",
  MergeStmt: "merge",
};

const hasRowsInText = (select: unknown): boolean =>
  select === undefined ||
  (isRecord(select) && isRecord(select["SelectStmt"]) && select["SelectStmt"]["valuesLists"] !== undefined);

/** No WHERE, or one that is made of constants alone and so bounds nothing: `true`, `1 = 1`. */
function isAlways(where: unknown): boolean {
  if (where === undefined) return true;
  let hasMore = false;
  walk(where, (kind) => {
    if (!/^(A_Const|A_Expr|BoolExpr|TypeCast|TypeName|String|List)$/.test(kind)) hasMore = true;
  });
  return !hasMore;
}
