import { LOCK_MODES, type Act, type Change, type LockMode, type SqlName } from "../../ports/sql-reader.ts";

export type TableLock = { readonly table: SqlName; readonly mode: LockMode };

export const strengthOf = (mode: LockMode): number => LOCK_MODES.indexOf(mode);
/** From SHARE on, users' writes wait. */
export const stopsWrites = (mode: LockMode): boolean => strengthOf(mode) >= strengthOf("SHARE");

/** The table locks that an act takes and its transaction keeps, as PostgreSQL's manual states them. The trial shows what is really taken. */
export function locksOf(act: Act): readonly TableLock[] {
  switch (act.kind) {
    case "create-table":
      return [
        ...act.constraints.flatMap(referenced),
        ...act.columns.flatMap((column) => column.constraints.flatMap(referenced)),
        ...(act.partitionOf === undefined
          ? []
          : [{ table: act.partitionOf, mode: "ACCESS EXCLUSIVE" } satisfies TableLock]),
      ];
    case "alter-table":
      return [
        { table: act.table, mode: strongest(act.changes.map(lockOfChange)) },
        ...act.changes.flatMap((change) => alsoLocked(change)),
      ];
    case "create-index":
      return [{ table: act.table, mode: act.isConcurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE" }];
    case "reindex":
      return act.isConcurrent || act.what !== "table" || act.name === undefined
        ? []
        : [{ table: act.name, mode: "SHARE" }];
    case "drop":
      if (act.what === "table") return act.names.map((table) => ({ table, mode: "ACCESS EXCLUSIVE" }));
      return act.table === undefined ? [] : [{ table: act.table, mode: "ACCESS EXCLUSIVE" }];
    case "rename":
      if (act.what === "column" || act.what === "constraint")
        return [{ table: act.table ?? act.name, mode: "ACCESS EXCLUSIVE" }];
      return act.what === "table" ? [{ table: act.name, mode: "ACCESS EXCLUSIVE" }] : [];
    case "set-schema":
      return act.what === "table" ? [{ table: act.name, mode: "ACCESS EXCLUSIVE" }] : [];
    case "create-trigger":
      return [{ table: act.table, mode: "SHARE ROW EXCLUSIVE" }];
    case "write":
      return [{ table: act.table, mode: "ROW EXCLUSIVE" }];
    case "truncate":
      return act.tables.map((table) => ({ table, mode: "ACCESS EXCLUSIVE" }));
    case "lock":
      return act.tables.map((table) => ({ table, mode: act.mode }));
    case "vacuum":
      return act.isFull ? act.tables.map((table) => ({ table, mode: "ACCESS EXCLUSIVE" })) : [];
    case "cluster":
      return act.table === undefined ? [] : [{ table: act.table, mode: "ACCESS EXCLUSIVE" }];
    case "refresh":
      return [{ table: act.view, mode: act.isConcurrent ? "EXCLUSIVE" : "ACCESS EXCLUSIVE" }];
    case "create-view":
    case "create-function":
    case "create":
    case "do":
    case "call":
    case "add-enum-value":
    case "rename-enum-value":
    case "constrain-domain":
    case "grant":
    case "revoke":
    case "set":
    case "transaction":
    case "alone":
    case "other":
      return [];
  }
}

function lockOfChange(change: Change): LockMode {
  switch (change.kind) {
    case "validate":
    case "light":
    case "attach":
      return "SHARE UPDATE EXCLUSIVE";
    case "detach":
      return change.isConcurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
    case "add-constraint":
      return change.constraint.kind === "foreign-key" ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE";
    case "add-column":
    case "drop-column":
    case "change-type":
    case "set-not-null":
    case "drop-not-null":
    case "set-default":
    case "drop-constraint":
    case "row-security":
    case "rewrite":
    case "other":
      return "ACCESS EXCLUSIVE";
  }
}

/** Tables beside the one that is altered. */
function alsoLocked(change: Change): readonly TableLock[] {
  if (change.kind === "add-constraint") return referenced(change.constraint);
  if (change.kind === "add-column") return change.column.constraints.flatMap(referenced);
  if (change.kind === "attach") return [{ table: change.partition, mode: "ACCESS EXCLUSIVE" }];
  if (change.kind === "detach" && !change.isConcurrent) return [{ table: change.partition, mode: "ACCESS EXCLUSIVE" }];
  return [];
}

type Referring = { readonly kind: string; readonly references?: SqlName };

const referenced = (constraint: Referring): readonly TableLock[] =>
  constraint.references === undefined ? [] : [{ table: constraint.references, mode: "SHARE ROW EXCLUSIVE" }];

const strongest = (modes: readonly LockMode[]): LockMode =>
  modes.reduce<LockMode>((most, mode) => (strengthOf(mode) > strengthOf(most) ? mode : most), "ACCESS SHARE");
