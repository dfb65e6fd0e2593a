import type { Node } from "libpg-query";
import type { Act } from "../../../ports/sql-reader.ts";
import { walk, wordsOf } from "./tree.ts";

/** SET, RESET and `set_config`, which are three ways to say the same. */
export function settingOf(tree: Node): readonly Act[] {
  if ("VariableSetStmt" in tree) {
    const { kind, name, args, is_local } = tree.VariableSetStmt;
    const isLocal = is_local === true;
    if (kind === "VAR_RESET_ALL") return [{ kind: "set", name: "all", isLocal }];
    if (kind !== "VAR_SET_VALUE" && kind !== "VAR_SET_DEFAULT" && kind !== "VAR_RESET") return [];
    const value = constantOf(args?.[0]);
    return [{ kind: "set", name: (name ?? "").toLowerCase(), ...(value === undefined ? {} : { value }), isLocal }];
  }
  if ("DiscardStmt" in tree && tree.DiscardStmt.target === "DISCARD_ALL")
    return [{ kind: "set", name: "all", isLocal: false }];
  return setConfigs(tree);
}

function setConfigs(tree: Node): readonly Act[] {
  const acts: Act[] = [];
  walk(tree, (kind, fields) => {
    if (
      kind !== "FuncCall" ||
      !Array.isArray(fields["funcname"]) ||
      wordsOf(fields["funcname"] as readonly Node[]).at(-1) !== "set_config"
    )
      return;
    const args = Array.isArray(fields["args"]) ? (fields["args"] as readonly Node[]) : [];
    const [name, value, isLocal] = args.map(constantOf);
    // A name that is worked out at run time could be any.
    acts.push({
      kind: "set",
      name: name?.toLowerCase() ?? "all",
      ...(value === undefined ? {} : { value }),
      isLocal: isLocal === "true",
    });
  });
  return acts;
}

function constantOf(node: Node | undefined): string | undefined {
  if (node === undefined || !("A_Const" in node)) return undefined;
  const { sval, ival, fval, boolval } = node.A_Const;
  if (sval !== undefined) return sval.sval ?? "";
  if (ival !== undefined) return String(ival.ival ?? 0);
  if (fval !== undefined) return fval.fval ?? "";
  return boolval === undefined ? undefined : String(boolval.boolval ?? false);
}
