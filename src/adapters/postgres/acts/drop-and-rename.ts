import type { Node } from "libpg-query";
import type { Act } from "../../../ports/sql-reader.ts";
import { thingOf } from "./thing.ts";
import { nameOf, rangeName, wordsOf, type Of } from "./tree.ts";

export function dropOf(tree: Of<"DropStmt">): Act {
  const what = thingOf(tree.removeType);
  const paths = (tree.objects ?? []).map(pathOf);
  const isPart = what === "trigger" || what === "policy" || what === "rule";
  const table = isPart ? nameOf((paths[0] ?? []).slice(0, -1)) : undefined;
  return {
    kind: "drop",
    what,
    names: paths.map((path) => (isPart ? (path.at(-1) ?? "") : nameOf(path))),
    ...(table === undefined ? {} : { table }),
    isConcurrent: tree.concurrent === true,
    ifExists: tree.missing_ok === true,
    isCascade: tree.behavior === "DROP_CASCADE",
  };
}

export function renameOf(tree: Of<"RenameStmt">): Act {
  const what = thingOf(tree.renameType);
  const owner = tree.relation === undefined ? nameOf(pathOf(tree.object)) : rangeName(tree.relation);
  const isInside = tree.subname !== undefined;
  return {
    kind: "rename",
    what,
    name: tree.subname ?? owner,
    ...(isInside ? { table: owner } : {}),
    to: tree.newname ?? "",
  };
}

function pathOf(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if ("List" in node) return wordsOf(node.List.items);
  if ("TypeName" in node) return wordsOf(node.TypeName.names);
  if ("ObjectWithArgs" in node) return wordsOf(node.ObjectWithArgs.objname);
  return wordsOf([node]);
}
