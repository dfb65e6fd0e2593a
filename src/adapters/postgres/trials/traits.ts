import type { Node } from "libpg-query";
import type { Trait } from "../../../ports/trials.ts";

/** Reads off the syntax tree what judging a statement needs. */
export const traitsOf = (tree: Node): readonly Trait[] => {
  if ("AlterTableStmt" in tree) return [...new Set((tree.AlterTableStmt.cmds ?? []).flatMap(traitsOfCommand))];
  if ("RenameStmt" in tree) return tree.RenameStmt.renameType === "OBJECT_TABCONSTRAINT" ? [] : ["rename"];
  if ("AlterObjectSchemaStmt" in tree) return ["rename"];
  if ("CreateTrigStmt" in tree) return ["trigger"];
  if ("AlterEnumStmt" in tree) return ["enum"];
  if ("GrantStmt" in tree) return tree.GrantStmt.is_grant === true ? [] : ["rights"];
  if ("GrantRoleStmt" in tree || "CreatePolicyStmt" in tree || "AlterPolicyStmt" in tree) return ["rights"];
  if ("TruncateStmt" in tree) return ["truncate"];
  if ("VacuumStmt" in tree || "RefreshMatViewStmt" in tree || "ReindexStmt" in tree || "ClusterStmt" in tree)
    return ["maintenance"];
  if ("LockStmt" in tree) return ["maintenance", "lock"];
  if ("DoStmt" in tree || "CallStmt" in tree || "SelectStmt" in tree) return ["dynamic"];
  return [];
};

const traitsOfCommand = (node: Node): readonly Trait[] => {
  if (!("AlterTableCmd" in node)) return [];
  const { subtype, def } = node.AlterTableCmd;
  if (subtype === "AT_AddColumn") return def !== undefined && "ColumnDef" in def ? traitsOfColumn(def.ColumnDef) : [];
  const trait = COMMANDS[subtype ?? ""];
  return trait === undefined ? [] : [trait];
};

// Whoever else locks or rewrites is seen doing it.
const COMMANDS: Readonly<Record<string, Trait>> = {
  AT_AlterColumnType: "change-type",
  AT_EnableRowSecurity: "rights",
  AT_ForceRowSecurity: "rights",
  AT_SetTableSpace: "maintenance",
  AT_SetLogged: "maintenance",
  AT_SetUnLogged: "maintenance",
  AT_SetAccessMethod: "maintenance",
};

type Column = Extract<Node, { ColumnDef: unknown }>["ColumnDef"];

const traitsOfColumn = (column: Column): readonly Trait[] => {
  const kinds = (column.constraints ?? []).flatMap((one) => ("Constraint" in one ? [one.Constraint.contype] : []));
  const type = (column.typeName?.names ?? []).map((one) => ("String" in one ? (one.String.sval ?? "") : "")).at(-1);
  if (
    /^(small|big)?serial\d*$/.test(type ?? "") ||
    kinds.includes("CONSTR_GENERATED") ||
    kinds.includes("CONSTR_IDENTITY")
  )
    return ["add-column-generated"];
  if (kinds.includes("CONSTR_DEFAULT")) return ["add-column-default"];
  return kinds.includes("CONSTR_NOTNULL") || kinds.includes("CONSTR_PRIMARY") ? ["add-column-required"] : [];
};
