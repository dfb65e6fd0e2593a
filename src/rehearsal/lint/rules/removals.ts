import type { Act } from "../../../ports/sql-reader.ts";
import { keyOf } from "../known.ts";
import { isOneTransaction, restOf, servesOldRelease, type Rule, type Seen } from "../seen.ts";

export const renameOrSetSchema: Rule = (act, seen) => {
  if (act.kind !== "rename" && act.kind !== "set-schema") return [];
  if (!BREAKING.has(act.what) || !isOthers(act, seen)) return [];
  const subject = act.kind === "rename" && act.table !== undefined ? `${act.table}.${act.name}` : act.name;
  if (act.kind === "rename" && act.table === undefined && hasViewUnder(act.name, seen)) return [];
  return [
    {
      rule: "rename-or-set-schema",
      message: `${act.what} ${subject} is gone under its name at once, and the running release still asks for it (42703, 42P01)`,
      ...(act.what === "column" || act.what === "table"
        ? {
            lock: {
              mode: "ACCESS EXCLUSIVE",
              table: (act.kind === "rename" ? act.table : undefined) ?? act.name,
            } as const,
          }
        : {}),
      instead:
        act.what === "table"
          ? "create a view under the old name in the same transaction, or expand and contract"
          : "expand and contract: add the new name, write both, switch, and drop the old one in a contract phase",
    },
  ];
};

const BREAKING: ReadonlySet<string> = new Set([
  "column",
  "domain",
  "function",
  "materialized view",
  "procedure",
  "schema",
  "sequence",
  "table",
  "type",
  "view",
]);

/** Not what the file itself made, and not the way back of what up renamed. */
function isOthers(act: Extract<Act, { kind: "rename" | "set-schema" }>, { known }: Seen): boolean {
  if (known.isUndone(`renamed:${act.name}`)) return false;
  if (act.kind === "rename" && act.table !== undefined) return !known.isOwnColumn(act.table, act.name);
  return known.isInUse(keyOf(act.what, act.name));
}

const hasViewUnder = (name: string, seen: Seen): boolean =>
  isOneTransaction(seen) &&
  restOf(seen).some(({ acts }) => acts.some((act) => act.kind === "create-view" && act.view === name));

const STOP_USING = "stop using it, deploy that, and drop it in a migration of phase contract";

export const dropColumnOrTable: Rule = (act, seen) => {
  if (seen.file.part !== "down" && !servesOldRelease(seen)) return [];
  const gone =
    act.kind === "drop" && act.what === "table"
      ? act.names.filter((name) => seen.known.isInUse(name))
      : act.kind === "alter-table"
        ? act.changes.flatMap((change) =>
            change.kind === "drop-column" && !seen.known.isOwnColumn(act.table, change.column)
              ? [`${act.table}.${change.column}`]
              : [],
          )
        : [];
  return gone.map((name) => ({
    rule: "drop-column-or-table",
    message:
      seen.file.part === "down"
        ? `${name} was not made by this migration's up file, and its rows do not come back`
        : `the running release still reads ${name}, and its rows do not come back`,
    lock: { mode: "ACCESS EXCLUSIVE", table: act.kind === "alter-table" ? act.table : name },
    instead: seen.file.part === "down" ? "take back only what up has made" : STOP_USING,
  }));
};

const OTHERS: ReadonlySet<string> = new Set([
  "domain",
  "extension",
  "function",
  "materialized view",
  "procedure",
  "rule",
  "sequence",
  "trigger",
  "type",
  "view",
]);

export const dropOtherObject: Rule = (act, seen) => {
  if (act.kind !== "drop" || !OTHERS.has(act.what)) return [];
  if (seen.file.part !== "down" && !servesOldRelease(seen)) return [];
  const key = (name: string): string => (act.table === undefined ? keyOf(act.what, name) : `${act.table}#${name}`);
  const gone = act.names.filter((name) => seen.known.isInUse(key(name)) && !isMadeAgain(act, name, seen));
  if (gone.length === 0 || (act.table !== undefined && !seen.known.isInUse(act.table))) return [];
  return [
    {
      rule: "drop-other-object",
      message:
        seen.file.part === "down"
          ? `${act.what} ${gone.join(", ")} was not made by this migration's up file`
          : `the running release may still use ${act.what} ${gone.join(", ")}`,
      ...(act.table === undefined ? {} : { lock: { mode: "ACCESS EXCLUSIVE", table: act.table } as const }),
      instead: seen.file.part === "down" ? "take back only what up has made" : STOP_USING,
    },
  ];
};

/** In the same transaction nobody sees the gap; what became different is for the trial to find. */
const isMadeAgain = (drop: Extract<Act, { kind: "drop" }>, name: string, seen: Seen): boolean =>
  isOneTransaction(seen) &&
  restOf(seen).some(({ acts }) =>
    acts.some(
      (act) =>
        (act.kind === "create-view" && act.view === name) ||
        (act.kind === "create-function" && act.name === name) ||
        (act.kind === "create-trigger" && act.trigger === name && act.table === drop.table) ||
        (act.kind === "create" && act.what === drop.what && act.name === name),
    ),
  );

export const rightsRemoved: Rule = (act, { known, file }) => {
  const what = rightsLost(act, known);
  if (what === undefined) return [];
  return [
    {
      rule: "rights-removed",
      message: `${what}, and the order service may be refused from then on`,
      instead: `rehearse it under the application's role${file.part === "up" ? ", and take rights away in a contract phase" : ""}`,
    },
  ];
};

function rightsLost(act: Act, known: Seen["known"]): string | undefined {
  if (act.kind === "revoke") {
    const names = act.names.filter((name) => known.isInUse(keyOf(act.what, name)) && !known.isUndone(`grant:${name}`));
    if (act.names.length > 0 && names.length === 0) return undefined;
    return `${names.length === 0 ? "a role's rights" : `rights on ${names.join(", ")}`} are taken away`;
  }
  if (act.kind === "drop" && act.what === "policy" && act.table !== undefined && known.isInUse(act.table))
    return act.names.some((name) => known.isUndone(keyOf("policy", name)))
      ? undefined
      : `policy ${act.names.join(", ")} no longer lets rows of ${act.table} through`;
  if (act.kind !== "alter-table" || !known.isInUse(act.table)) return undefined;
  return act.changes.some((change) => change.kind === "row-security" && change.isOn)
    ? `row security hides every row of ${act.table} that no policy shows`
    : undefined;
}

export const truncateOrDropContainer: Rule = (act, { known }) => {
  const what =
    act.kind === "truncate"
      ? truncated(act, known)
      : act.kind === "drop" && /^(schema|database|owned objects)$/.test(act.what)
        ? dropped(act, known)
        : undefined;
  if (what === undefined) return [];
  return [
    {
      rule: "truncate-or-drop-container",
      message: `${what}, and does not come back`,
      ...(act.kind === "truncate" && act.tables[0] !== undefined
        ? { lock: { mode: "ACCESS EXCLUSIVE", table: act.tables[0] } as const }
        : {}),
      instead: "name each table, keep its rows elsewhere first, and delete in batches",
    },
  ];
};

function truncated(act: Extract<Act, { kind: "truncate" }>, known: Seen["known"]): string | undefined {
  const tables = act.tables.filter((table) => known.isInUse(table));
  if (tables.length === 0 && !act.isCascade) return undefined;
  return `every row of ${(tables.length === 0 ? act.tables : tables).join(", ")}${act.isCascade ? " and of all tables that refer to it" : ""} goes`;
}

function dropped(act: Extract<Act, { kind: "drop" }>, known: Seen["known"]): string | undefined {
  const names = act.names.filter((name) => known.isInUse(keyOf(act.what, name)));
  if (act.names.length > 0 && names.length === 0) return undefined;
  return `everything in ${act.what} ${names.join(", ")}`.trimEnd().concat(" goes");
}
