import type { Change } from "../../../ports/sql-reader.ts";
import { columnOf, constraintOf } from "./constraint.ts";
import { rangeName, typeName, wordsOf, type Of } from "./tree.ts";

type Cmd = Of<"AlterTableCmd">;

/** One command of ALTER TABLE. What it does not know is `other`, which counts as the strongest lock. */
export const changeOf = (cmd: Cmd): Change =>
  CHANGES[cmd.subtype ?? ""]?.(cmd, cmd.name ?? "", cmd.missing_ok === true) ?? { kind: "other" };

type Reading = (cmd: Cmd, name: string, ifExists: boolean) => Change;

const rewrite =
  (what: string): Reading =>
  () => ({ kind: "rewrite", what });
const light: Reading = () => ({ kind: "light" });
const rowSecurity =
  (isOn: boolean): Reading =>
  () => ({ kind: "row-security", isOn });

const CHANGES: Readonly<Record<string, Reading>> = {
  AT_AddColumn: ({ def }) =>
    def !== undefined && "ColumnDef" in def
      ? { kind: "add-column", column: columnOf(def.ColumnDef) }
      : { kind: "other" },
  AT_DropColumn: (_cmd, column, ifExists) => ({ kind: "drop-column", column, ifExists }),
  AT_AlterColumnType: (cmd, column) => typeChange(column, cmd),
  AT_SetNotNull: (_cmd, column) => ({ kind: "set-not-null", column }),
  AT_DropNotNull: (_cmd, column) => ({ kind: "drop-not-null", column }),
  AT_ColumnDefault: ({ def }, column) => ({ kind: "set-default", column, isDropped: def === undefined }),
  AT_AddConstraint: ({ def }) => {
    const constraint = def !== undefined && "Constraint" in def ? constraintOf(def.Constraint) : undefined;
    return constraint === undefined ? { kind: "other" } : { kind: "add-constraint", constraint };
  },
  AT_ValidateConstraint: (_cmd, constraint) => ({ kind: "validate", constraint }),
  AT_DropConstraint: (_cmd, constraint, ifExists) => ({ kind: "drop-constraint", constraint, ifExists }),
  AT_AttachPartition: (cmd) => ({ kind: "attach", partition: partitionOf(cmd).partition }),
  AT_DetachPartition: (cmd) => ({ kind: "detach", ...partitionOf(cmd) }),
  AT_DetachPartitionFinalize: (cmd) => ({ kind: "detach", ...partitionOf(cmd), isConcurrent: true }),
  AT_EnableRowSecurity: rowSecurity(true),
  AT_ForceRowSecurity: rowSecurity(true),
  AT_DisableRowSecurity: rowSecurity(false),
  AT_NoForceRowSecurity: rowSecurity(false),
  AT_SetTableSpace: rewrite("SET TABLESPACE"),
  AT_SetAccessMethod: rewrite("SET ACCESS METHOD"),
  AT_SetLogged: rewrite("SET LOGGED"),
  AT_SetUnLogged: rewrite("SET UNLOGGED"),
  AT_SetExpression: rewrite("SET EXPRESSION"),
  AT_SetStatistics: light,
  AT_SetOptions: light,
  AT_ResetOptions: light,
  AT_SetRelOptions: light,
  AT_ResetRelOptions: light,
  AT_ClusterOn: light,
  AT_DropCluster: light,
};

function typeChange(column: string, cmd: Cmd): Change {
  const def = cmd.def !== undefined && "ColumnDef" in cmd.def ? cmd.def.ColumnDef : undefined;
  const using = def?.raw_default;
  const plain = using !== undefined && "TypeCast" in using ? using.TypeCast.arg : using;
  const isItself = plain === undefined || ("ColumnRef" in plain && wordsOf(plain.ColumnRef.fields).at(-1) === column);
  return { kind: "change-type", column, type: typeName(def?.typeName), isComputed: !isItself };
}

function partitionOf(cmd: Cmd): { readonly partition: string; readonly isConcurrent: boolean } {
  const part = cmd.def !== undefined && "PartitionCmd" in cmd.def ? cmd.def.PartitionCmd : undefined;
  return { partition: rangeName(part?.name), isConcurrent: part?.concurrent === true };
}
