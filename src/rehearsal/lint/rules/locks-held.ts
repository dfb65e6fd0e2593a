import type { Act, LockMode } from "../../../ports/sql-reader.ts";
import type { Found } from "../finding.ts";
import { locksOf, stopsWrites, strengthOf } from "../locks.ts";
import type { Rule, Seen } from "../seen.ts";

/** Something that takes long, or may wait, while a table in use is locked against everybody. */
export const ddlAfterExclusiveLock: Rule = (act, seen) => {
  const held = exclusiveLock(seen);
  if (held === undefined) return [];
  const other = locksOf(act).find(
    ({ table, mode }) => table !== held.table && stopsWrites(mode) && seen.known.isInUse(table),
  );
  const what = isLongWrite(act, seen)
    ? `rows of ${act.table} are written`
    : other === undefined
      ? undefined
      : `${other.mode} on ${other.table} is waited for`;
  if (what === undefined) return [];
  return [
    {
      rule: "ddl-after-exclusive-lock",
      message: `${what} while statement ${held.statement} still locks ${held.table} against reads and writes, until the end of the transaction`,
      lock: { mode: "ACCESS EXCLUSIVE", table: held.table },
      instead: "put each into a migration of its own, the rows in batches",
    },
  ];
};

const exclusiveLock = ({ known }: Seen): { readonly table: string; readonly statement: number } | undefined => {
  for (const [table, { mode, statement }] of known.held)
    if (mode === "ACCESS EXCLUSIVE" && known.isInUse(table)) return { table, statement };
  return undefined;
};

type Write = Extract<Act, { kind: "write" }>;

/** A few rows that stand in the text are quick. */
const isLongWrite = (act: Act, { known }: Seen): act is Write =>
  act.kind === "write" && (act.verb === "insert" ? act.isFromQuery : known.isInUse(act.table));

const otherLock = (
  { known }: Seen,
  own: string,
): { readonly table: string; readonly statement: number } | undefined => {
  for (const [table, { mode, statement }] of known.held)
    if (table !== own && stopsWrites(mode) && known.isInUse(table)) return { table, statement };
  return undefined;
};

/** Two tables in the order of the file and not of the application, or a lock that two may both want to make stronger. */
export const lockOrderVsApp: Rule = (act, seen) => {
  if (exclusiveLock(seen) !== undefined) return [];
  const { known } = seen;
  for (const { table, mode } of locksOf(act)) {
    if (!stopsWrites(mode) || !known.isInUse(table)) continue;
    const before = known.held.get(table);
    if (
      before !== undefined &&
      strengthOf(before.mode) >= strengthOf("ROW EXCLUSIVE") &&
      strengthOf(before.mode) < strengthOf(mode)
    )
      return [deadlock(`${before.mode} on ${table} of statement ${before.statement} becomes ${mode}`, table, mode)];
    const other = otherLock(seen, table);
    if (other !== undefined)
      return [deadlock(`${other.table} is locked since statement ${other.statement}, and now ${table}`, table, mode)];
  }
  return [];
};

const deadlock = (what: string, table: string, mode: LockMode): Found => ({
  rule: "lock-order-vs-app",
  message: `${what}; an order that goes the other way round deadlocks with it (40P01)`,
  lock: { mode, table },
  instead: "lock them in the application's order, the strongest lock first, or in migrations of their own",
});

export const tableWideMaintenance: Rule = (act, { known }) => {
  const keeps = maintained(act, (table) => known.isInUse(table));
  if (keeps === undefined) return [];
  const { what, table, mode = "ACCESS EXCLUSIVE", instead = REPACK } = keeps;
  return [
    {
      rule: "table-wide-maintenance",
      message: `${what} keeps users from ${table ?? "every table that it touches"} until it is done`,
      lock: { mode, ...(table === undefined ? {} : { table }) },
      instead,
    },
  ];
};

const REPACK = "leave it out, or do it the way of pg_repack: a copy beside it, and a short switch";

type Maintained = {
  readonly what: string;
  readonly table?: string;
  readonly mode?: LockMode;
  readonly instead?: string;
};

/** Without a table it is all of them, and some are in use. */
function maintained(act: Act, isInUse: (table: string) => boolean): Maintained | undefined {
  const first = (tables: readonly string[]): { readonly table?: string } | undefined => {
    const table = tables.find(isInUse);
    if (table !== undefined) return { table };
    return tables.length === 0 ? {} : undefined;
  };
  const of = (what: string, tables: readonly string[], more: Partial<Maintained> = {}): Maintained | undefined => {
    const found = first(tables);
    return found === undefined ? undefined : { what, ...found, ...more };
  };
  if (act.kind === "vacuum" && act.isFull) return of("VACUUM FULL", act.tables);
  if (act.kind === "cluster") return of("CLUSTER", act.table === undefined ? [] : [act.table]);
  if (act.kind === "lock" && stopsWrites(act.mode))
    return of("LOCK TABLE", act.tables, {
      mode: act.mode,
      instead: "leave it out: each statement takes what it needs",
    });
  if (act.kind === "refresh" && !act.isConcurrent)
    return of("REFRESH MATERIALIZED VIEW", [act.view], {
      instead: "write REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index",
    });
  const change = act.kind === "alter-table" ? act.changes.find((one) => one.kind === "rewrite") : undefined;
  return act.kind === "alter-table" && change !== undefined ? of(change.what, [act.table]) : undefined;
}

export const triggerOnHotTable: Rule = (act, { known, file }) =>
  act.kind !== "create-trigger" || !known.isInUse(act.table) || file.part === "down"
    ? []
    : [
        {
          rule: "trigger-on-hot-table",
          message: `trigger ${act.trigger} runs within every order that writes ${act.table}, and may refuse it (P0001)`,
          lock: { mode: "SHARE ROW EXCLUSIVE", table: act.table },
          instead: "rehearse it under order load",
        },
      ];
