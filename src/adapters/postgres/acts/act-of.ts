import type { Node } from "libpg-query";
import { LOCK_MODES, type Act } from "../../../ports/sql-reader.ts";
import { changeOf } from "./change.ts";
import { columnOf, constraintOf } from "./constraint.ts";
import { dropOf, renameOf } from "./drop-and-rename.ts";
import { settingOf } from "./setting.ts";
import { thingOf } from "./thing.ts";
import { callsIn, nameOf, rangeName, rangesIn, wordsOf, type Of } from "./tree.ts";
import { writesOf } from "./writes.ts";

/** A statement's tree in our words. Most are one act; writes hidden in WITH, or a schema with its tables, are several. */
export function actsOf(tree: Node): readonly Act[] {
  const acts = [...ownActs(tree), ...writesOf(tree)];
  return acts.length === 0 ? [{ kind: "other" }] : acts;
}

function ownActs(tree: Node): readonly Act[] {
  if ("CreateStmt" in tree) return [createTable(tree.CreateStmt)];
  if ("CreateTableAsStmt" in tree) return [createTableAs(tree.CreateTableAsStmt)];
  if ("SelectStmt" in tree && tree.SelectStmt.intoClause !== undefined)
    return [createTableAs({ into: tree.SelectStmt.intoClause })];
  if ("AlterTableStmt" in tree) return [alterTable(tree.AlterTableStmt)];
  if ("IndexStmt" in tree) return [createIndex(tree.IndexStmt)];
  if ("ReindexStmt" in tree) return [reindex(tree.ReindexStmt)];
  if ("DropStmt" in tree) return [dropOf(tree.DropStmt)];
  if ("DropdbStmt" in tree) return [{ ...DROP, what: "database", names: [tree.DropdbStmt.dbname ?? ""] }];
  if ("DropOwnedStmt" in tree) return [{ ...DROP, what: "owned objects", names: [] }];
  if ("RenameStmt" in tree) return [renameOf(tree.RenameStmt)];
  if ("AlterObjectSchemaStmt" in tree) {
    const { objectType, relation, object, newschema } = tree.AlterObjectSchemaStmt;
    const name = relation === undefined ? nameIn(object) : rangeName(relation);
    return [{ kind: "set-schema", what: thingOf(objectType), name, to: newschema ?? "" }];
  }
  if ("CreateTrigStmt" in tree)
    return [
      {
        kind: "create-trigger",
        table: rangeName(tree.CreateTrigStmt.relation),
        trigger: tree.CreateTrigStmt.trigname ?? "",
      },
    ];
  if ("ViewStmt" in tree)
    return [
      {
        kind: "create-view",
        view: rangeName(tree.ViewStmt.view),
        isMaterialized: false,
        orReplace: tree.ViewStmt.replace === true,
      },
    ];
  if ("CreateFunctionStmt" in tree) return [createFunction(tree.CreateFunctionStmt)];
  if ("CreateSchemaStmt" in tree) return createSchema(tree.CreateSchemaStmt);
  if ("CreateEnumStmt" in tree) return [created("type", wordsOf(tree.CreateEnumStmt.typeName))];
  if ("CompositeTypeStmt" in tree)
    return [{ kind: "create", what: "type", name: rangeName(tree.CompositeTypeStmt.typevar) }];
  if ("CreateSeqStmt" in tree)
    return [{ kind: "create", what: "sequence", name: rangeName(tree.CreateSeqStmt.sequence) }];
  if ("CreatePolicyStmt" in tree) return [created("policy", [tree.CreatePolicyStmt.policy_name ?? ""])];
  if ("CreateExtensionStmt" in tree) return [created("extension", [tree.CreateExtensionStmt.extname ?? ""])];
  if ("CreateDomainStmt" in tree) return domain(tree.CreateDomainStmt);
  if ("AlterDomainStmt" in tree)
    return /^[CO]$/.test(tree.AlterDomainStmt.subtype ?? "")
      ? [{ kind: "constrain-domain", domain: nameOf(wordsOf(tree.AlterDomainStmt.typeName)), isNew: false }]
      : [];
  if ("AlterEnumStmt" in tree) return [alterEnum(tree.AlterEnumStmt)];
  if ("DoStmt" in tree) return [{ kind: "do" }];
  if ("CallStmt" in tree) return [{ kind: "call", name: callsIn({ FuncCall: tree.CallStmt.funccall })[0] ?? "" }];
  return [...maintenance(tree), ...session(tree)];
}

function maintenance(tree: Node): readonly Act[] {
  if ("TruncateStmt" in tree)
    return [
      {
        kind: "truncate",
        tables: rangesIn(tree.TruncateStmt.relations),
        isCascade: tree.TruncateStmt.behavior === "DROP_CASCADE",
      },
    ];
  if ("LockStmt" in tree)
    // The grammar counts the modes from 1, the weakest.
    return [
      {
        kind: "lock",
        tables: rangesIn(tree.LockStmt.relations),
        mode: LOCK_MODES[(tree.LockStmt.mode ?? LOCK_MODES.length) - 1] ?? "ACCESS EXCLUSIVE",
      },
    ];
  if ("VacuumStmt" in tree && tree.VacuumStmt.is_vacuumcmd === true)
    return [
      {
        kind: "vacuum",
        tables: (tree.VacuumStmt.rels ?? []).flatMap((rel) =>
          "VacuumRelation" in rel ? [rangeName(rel.VacuumRelation.relation)] : [],
        ),
        isFull: hasOption(tree.VacuumStmt.options, "full"),
      },
    ];
  if ("ClusterStmt" in tree)
    return [
      {
        kind: "cluster",
        ...(tree.ClusterStmt.relation === undefined ? {} : { table: rangeName(tree.ClusterStmt.relation) }),
      },
    ];
  if ("RefreshMatViewStmt" in tree)
    return [
      {
        kind: "refresh",
        view: rangeName(tree.RefreshMatViewStmt.relation),
        isConcurrent: tree.RefreshMatViewStmt.concurrent === true,
      },
    ];
  return [];
}

function session(tree: Node): readonly Act[] {
  if ("GrantStmt" in tree) {
    const what = thingOf(tree.GrantStmt.objtype);
    const names = (tree.GrantStmt.objects ?? []).map((one) => nameIn(one));
    return [tree.GrantStmt.is_grant === true ? { kind: "grant", what, names } : { kind: "revoke", what, names }];
  }
  if ("GrantRoleStmt" in tree && tree.GrantRoleStmt.is_grant !== true)
    return [{ kind: "revoke", what: "other", names: [] }];
  if ("TransactionStmt" in tree) {
    const kind = (tree.TransactionStmt.kind ?? "").replace(/^TRANS_STMT_/, "");
    return [
      {
        kind: "transaction",
        verb: kind.replaceAll("_", " ").toLowerCase(),
        isSavepoint: /^(SAVEPOINT|RELEASE|ROLLBACK_TO)$/.test(kind),
      },
    ];
  }
  const alone = ALONE.find((name) => name in tree);
  return alone === undefined ? settingOf(tree) : [{ kind: "alone", what: alone.replace(/Stmt$/, "") }];
}

/** The same list by which the runner tells what it cannot look for after a crash. */
const ALONE = [
  "CreatedbStmt",
  "AlterDatabaseStmt",
  "CreateTableSpaceStmt",
  "DropTableSpaceStmt",
  "CreateSubscriptionStmt",
  "AlterSubscriptionStmt",
  "DropSubscriptionStmt",
];

const DROP = { kind: "drop", isConcurrent: false, ifExists: false, isCascade: true } as const;

const created = (what: "type" | "policy" | "extension", words: readonly string[]): Act => ({
  kind: "create",
  what,
  name: nameOf(words),
});

function createTable(tree: Of<"CreateStmt">): Act {
  const elements = tree.tableElts ?? [];
  const [parent] = tree.partbound === undefined ? [] : rangesIn(tree.inhRelations);
  return {
    kind: "create-table",
    table: rangeName(tree.relation),
    isTemporary: tree.relation?.relpersistence === "t",
    ifNotExists: tree.if_not_exists === true,
    isPartitioned: tree.partspec !== undefined,
    ...(parent === undefined ? {} : { partitionOf: parent }),
    columns: elements.flatMap((node) => ("ColumnDef" in node ? [columnOf(node.ColumnDef)] : [])),
    constraints: elements.flatMap((node) => {
      const found = "Constraint" in node ? constraintOf(node.Constraint) : undefined;
      return found === undefined ? [] : [found];
    }),
  };
}

function createTableAs(tree: Of<"CreateTableAsStmt">): Act {
  const name = rangeName(tree.into?.rel);
  if (tree.objtype === "OBJECT_MATVIEW")
    return { kind: "create-view", view: name, isMaterialized: true, orReplace: tree.if_not_exists === true };
  return {
    kind: "create-table",
    table: name,
    isTemporary: tree.into?.rel?.relpersistence === "t",
    ifNotExists: tree.if_not_exists === true,
    isPartitioned: false,
    columns: [],
    constraints: [],
  };
}

function alterTable(tree: Of<"AlterTableStmt">): Act {
  // Views, sequences and indexes have an ALTER of their own, and none that keeps users from rows.
  if (tree.objtype !== "OBJECT_TABLE" && tree.objtype !== "OBJECT_FOREIGN_TABLE") return { kind: "other" };
  return {
    kind: "alter-table",
    table: rangeName(tree.relation),
    changes: (tree.cmds ?? []).flatMap((cmd) => ("AlterTableCmd" in cmd ? [changeOf(cmd.AlterTableCmd)] : [])),
  };
}

function createIndex(tree: Of<"IndexStmt">): Act {
  return {
    kind: "create-index",
    table: rangeName(tree.relation),
    ...(tree.idxname === undefined ? {} : { index: tree.idxname }),
    isConcurrent: tree.concurrent === true,
    isUnique: tree.unique === true,
    ifNotExists: tree.if_not_exists === true,
  };
}

function reindex(tree: Of<"ReindexStmt">): Act {
  const name = tree.relation === undefined ? tree.name : rangeName(tree.relation);
  return {
    kind: "reindex",
    ...(name === undefined ? {} : { name }),
    what: (tree.kind ?? "").replace(/^REINDEX_OBJECT_/, "").toLowerCase(),
    isConcurrent: hasOption(tree.params, "concurrently"),
  };
}

function createFunction(tree: Of<"CreateFunctionStmt">): Act {
  const language = (tree.options ?? []).flatMap((option) =>
    "DefElem" in option &&
    option.DefElem.defname === "language" &&
    option.DefElem.arg !== undefined &&
    "String" in option.DefElem.arg
      ? [option.DefElem.arg.String.sval ?? ""]
      : [],
  )[0];
  return {
    kind: "create-function",
    name: nameOf(wordsOf(tree.funcname)),
    isProcedure: tree.is_procedure === true,
    orReplace: tree.replace === true,
    language: (language ?? "sql").toLowerCase(),
  };
}

function createSchema(tree: Of<"CreateSchemaStmt">): readonly Act[] {
  const schema = tree.schemaname ?? "";
  const inside = (tree.schemaElts ?? []).flatMap((one) => ownActs(one));
  return [
    { kind: "create", what: "schema", name: schema },
    // What the statement creates inside lies in its schema, whether it says so or not.
    ...inside.map((act) =>
      act.kind === "create-table" && !act.table.includes(".") ? { ...act, table: `${schema}.${act.table}` } : act,
    ),
  ];
}

function domain(tree: Of<"CreateDomainStmt">): readonly Act[] {
  const name = nameOf(wordsOf(tree.domainname));
  const isConstrained = (tree.constraints ?? []).some(
    (one) => "Constraint" in one && /^CONSTR_(CHECK|NOTNULL)$/.test(one.Constraint.contype ?? ""),
  );
  const create: Act = { kind: "create", what: "domain", name };
  return isConstrained ? [create, { kind: "constrain-domain", domain: name, isNew: true }] : [create];
}

function alterEnum(tree: Of<"AlterEnumStmt">): Act {
  const type = nameOf(wordsOf(tree.typeName));
  const value = tree.newVal ?? "";
  if (tree.oldVal !== undefined) return { kind: "rename-enum-value", type, value: tree.oldVal, to: value };
  return { kind: "add-enum-value", type, value, isPlaced: tree.newValNeighbor !== undefined };
}

const hasOption = (options: readonly Node[] | undefined, name: string): boolean =>
  (options ?? []).some((option) => "DefElem" in option && option.DefElem.defname === name);

function nameIn(node: Node | undefined): string {
  if (node === undefined) return "";
  if ("RangeVar" in node) return rangeName(node.RangeVar);
  if ("List" in node) return nameOf(wordsOf(node.List.items));
  if ("TypeName" in node) return nameOf(wordsOf(node.TypeName.names));
  if ("ObjectWithArgs" in node) return nameOf(wordsOf(node.ObjectWithArgs.objname));
  return nameOf(wordsOf([node]));
}
