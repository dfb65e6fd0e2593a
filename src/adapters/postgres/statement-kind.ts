import type { Node } from "libpg-query";
import type { Statement } from "./split.ts";

/** How a statement of a file without a transaction is run, and what can be asked about it after a crash. */
export type StatementKind =
  /** Goes into one transaction with its progress, so a crash leaves both or neither. */
  | { readonly kind: "coupled" }
  /** Holds for the session, so a resumed file needs it again. */
  | { readonly kind: "setting" }
  /** Cannot run in a transaction; to run it twice does no harm. */
  | { readonly kind: "repeatable" }
  /** Cannot run in a transaction, and nothing tells afterwards whether it ran. */
  | { readonly kind: "opaque" }
  | Concurrent;

export type Concurrent =
  /** `table` and `index` as written, quoted where needed. */
  | { readonly kind: "create-index"; readonly table: string; readonly index: string }
  | { readonly kind: "drop-index"; readonly index: string }
  | { readonly kind: "reindex"; readonly relation: string | undefined }
  | { readonly kind: "detach"; readonly table: string; readonly partition: string };

/** Reads it off the syntax tree. An index without a name is opaque: nobody could look for it. */
export const kindOf = ({ tree, text }: Statement): StatementKind => {
  if ("VariableSetStmt" in tree) return { kind: "setting" };
  if ("IndexStmt" in tree && tree.IndexStmt.concurrent === true) return createIndex(tree.IndexStmt);
  if ("DropStmt" in tree && tree.DropStmt.concurrent === true) return dropIndex(tree.DropStmt);
  if ("ReindexStmt" in tree) return reindex(tree.ReindexStmt);
  if ("AlterTableStmt" in tree) return detach(tree.AlterTableStmt) ?? { kind: "coupled" };
  if ("VacuumStmt" in tree || "ClusterStmt" in tree || "CheckPointStmt" in tree || "AlterSystemStmt" in tree)
    return { kind: "repeatable" };
  // Only what ends transactions by itself needs to be outside of one.
  if ("CallStmt" in tree) return { kind: "opaque" };
  if ("DoStmt" in tree) return /\b(commit|rollback|call)\b/i.test(text) ? { kind: "opaque" } : { kind: "coupled" };
  return OUTSIDE.some((name) => name in tree) ? { kind: "opaque" } : { kind: "coupled" };
};
const OUTSIDE = [
  "CreatedbStmt",
  "DropdbStmt",
  "AlterDatabaseStmt",
  "CreateTableSpaceStmt",
  "DropTableSpaceStmt",
  "CreateSubscriptionStmt",
  "AlterSubscriptionStmt",
  "DropSubscriptionStmt",
];

/** Whether it belongs to the class that waits for old snapshots and blocks nobody. */
export const isConcurrent = (kind: StatementKind): kind is Concurrent =>
  kind.kind === "create-index" || kind.kind === "drop-index" || kind.kind === "reindex" || kind.kind === "detach";

type Named = { readonly schemaname?: string; readonly relname?: string };
type Of<K extends string> = Extract<Node, Record<K, unknown>> extends Record<K, infer T> ? T : never;

const createIndex = (tree: Of<"IndexStmt">): StatementKind => {
  if (tree.idxname === undefined || tree.relation === undefined) return { kind: "opaque" };
  return { kind: "create-index", table: nameOf(tree.relation), index: tree.idxname };
};

const dropIndex = (tree: Of<"DropStmt">): StatementKind => {
  const [first] = tree.objects ?? [];
  if (first === undefined || !("List" in first)) return { kind: "opaque" };
  const words = (first.List.items ?? []).flatMap((item) => ("String" in item ? [item.String.sval ?? ""] : []));
  return { kind: "drop-index", index: words.map(quote).join(".") };
};

const reindex = (tree: Of<"ReindexStmt">): StatementKind => {
  const isConcurrently = (tree.params ?? []).some(
    (param) => "DefElem" in param && param.DefElem.defname === "concurrently",
  );
  if (isConcurrently)
    return { kind: "reindex", relation: tree.relation === undefined ? undefined : nameOf(tree.relation) };
  return { kind: tree.relation === undefined ? "repeatable" : "coupled" };
};

const detach = (tree: Of<"AlterTableStmt">): StatementKind | undefined => {
  for (const cmd of tree.cmds ?? []) {
    if (!("AlterTableCmd" in cmd) || cmd.AlterTableCmd.def === undefined || !("PartitionCmd" in cmd.AlterTableCmd.def))
      continue;
    const { concurrent, name } = cmd.AlterTableCmd.def.PartitionCmd;
    if (concurrent === true && name !== undefined && tree.relation !== undefined)
      return { kind: "detach", table: nameOf(tree.relation), partition: nameOf(name) };
  }
  return undefined;
};

const nameOf = (relation: Named): string =>
  [relation.schemaname, relation.relname].flatMap((word) => (word === undefined ? [] : [quote(word)])).join(".");

/** As an identifier that means exactly this. */
const quote = (word: string): string => `"${word.replaceAll('"', '""')}"`;
