import type { Act } from "../../../ports/sql-reader.ts";
import { isOneTransaction, onChange, type Rule, type Seen } from "../seen.ts";

export const indexNotConcurrent: Rule = (act, { known }) =>
  act.kind !== "create-index" || act.isConcurrent || !known.isInUse(act.table)
    ? []
    : [
        {
          rule: "index-not-concurrent",
          message: `CREATE INDEX stops every write to ${act.table} until the index is built`,
          lock: { mode: "SHARE", table: act.table },
          instead:
            "write CREATE INDEX CONCURRENTLY in a file of its own with -- midflight: no-transaction; for a partitioned table: on each partition, then ATTACH",
        },
      ];

export const dropIndexNotConcurrent: Rule = (act, { known }) => {
  if (act.kind !== "drop" || act.what !== "index" || act.isConcurrent) return [];
  const inUse = act.names.filter((name) => known.isInUse(name));
  if (inUse.length === 0) return [];
  return [
    {
      rule: "drop-index-not-concurrent",
      message: `DROP INDEX ${inUse.join(", ")} locks its table against reads and writes`,
      lock: { mode: "ACCESS EXCLUSIVE" },
      instead: "write DROP INDEX CONCURRENTLY in a file of its own with -- midflight: no-transaction",
    },
  ];
};

export const reindexNotConcurrent: Rule = (act, { known }) =>
  act.kind !== "reindex" || act.isConcurrent || (act.name !== undefined && !known.isInUse(act.name))
    ? []
    : [
        {
          rule: "reindex-not-concurrent",
          message: `REINDEX stops writes to what it builds anew (${act.what} ${act.name ?? "as a whole"}), and reads through the index`,
          lock: { mode: "SHARE", ...(act.what === "table" && act.name !== undefined ? { table: act.name } : {}) },
          instead: "write REINDEX … CONCURRENTLY in a file of its own with -- midflight: no-transaction",
        },
      ];

export const detachPartitionNotConcurrent: Rule = onChange((change, table, { known }) =>
  change.kind !== "detach" || change.isConcurrent || !known.isInUse(change.partition)
    ? []
    : [
        {
          rule: "detach-partition-not-concurrent",
          message: `DETACH PARTITION locks ${table} and ${change.partition} against reads and writes`,
          lock: { mode: "ACCESS EXCLUSIVE", table },
          instead: "write DETACH PARTITION … CONCURRENTLY in a file of its own with -- midflight: no-transaction",
        },
      ],
);

export const concurrentInTransaction: Rule = (act, seen) => {
  const what = needsNoTransaction(act);
  if (what === undefined || !(isOneTransaction(seen) || seen.isInner)) return [];
  return [
    {
      rule: "concurrent-in-transaction",
      message: `PostgreSQL refuses ${what} in a transaction (25001), and ${seen.isInner ? "a body" : "this file"} is one`,
      instead: seen.isInner
        ? "write it as a statement of its own"
        : "put it into a file of its own that begins with -- midflight: no-transaction",
    },
  ];
};

function needsNoTransaction(act: Act): string | undefined {
  if (act.kind === "vacuum") return "VACUUM";
  if (act.kind === "alone") return act.what;
  if (act.kind === "drop" && act.what === "database") return "DROP DATABASE";
  if (act.kind === "drop" && act.isConcurrent) return "DROP INDEX CONCURRENTLY";
  if (act.kind === "create-index" && act.isConcurrent) return "CREATE INDEX CONCURRENTLY";
  if (act.kind === "reindex" && (act.isConcurrent || !isOneRelation(act.what)))
    return `REINDEX of a ${act.what}${act.isConcurrent ? " CONCURRENTLY" : ""}`;
  if (act.kind === "alter-table" && act.changes.some((change) => change.kind === "detach" && change.isConcurrent))
    return "DETACH PARTITION CONCURRENTLY";
  return undefined;
}

const isOneRelation = (what: string): boolean => what === "table" || what === "index";

/** midflight looks whether a named index is valid; of others nobody knows. */
export const concurrentIndexNotChecked: Rule = (act, seen) => {
  if (isOneTransaction(seen) || isCheckedByVerify(seen)) return [];
  const instead = "name it, or look at pg_index.indisvalid in the verify file";
  if (act.kind === "create-index" && act.isConcurrent && act.index === undefined)
    return [
      {
        rule: "concurrent-index-not-checked",
        message: `an index without a name cannot be looked up: whether it is INVALID on ${act.table}, nobody would say`,
        instead,
      },
    ];
  if (act.kind === "reindex" && act.isConcurrent && !isOneRelation(act.what))
    return [
      {
        rule: "concurrent-index-not-checked",
        message: `which indexes REINDEX of a ${act.what} leaves INVALID is not looked up`,
        instead: "name each table, or look at pg_index.indisvalid in the verify file",
      },
    ];
  return [];
};

const isCheckedByVerify = ({ file }: Seen): boolean => /\bindisvalid\b/i.test(file.migration.verify);
