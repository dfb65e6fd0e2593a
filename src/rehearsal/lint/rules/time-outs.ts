import { durationMs } from "../duration.ts";
import { locksOf, stopsWrites } from "../locks.ts";
import { RUNNER_LIMITS } from "../runner-limits.ts";
import { isOneTransaction, type Rule } from "../seen.ts";

const {
  lockTimeoutMs: RUNNER_MS,
  statementTimeoutMs: RUNNER_STATEMENT_MS,
  concurrentLockTimeoutMs: CONCURRENT_MS,
} = RUNNER_LIMITS;
/** Users' own deadlines are about as long. */
const LONGEST_MS = 1_000;

/** The runner's limit is taken away, or the file's own never holds. */
export const lockTimeoutNotInEffect: Rule = (act, seen) => {
  if (act.kind !== "set" || (act.name !== "lock_timeout" && act.name !== "all")) return [];
  if (!isOneTransaction(seen) && !seen.isInner) {
    if (act.name === "all" || isShortForConcurrent(act.value, seen.file.statements)) return [];
    return [
      {
        rule: "lock-timeout-not-in-effect",
        message:
          "this lock_timeout never holds: in a file without a transaction midflight sets its own before each statement",
        instead: "delete it",
      },
    ];
  }
  const ms = act.name === "all" || act.value === undefined ? 0 : durationMs(act.value);
  if (ms !== undefined && ms > 0) return [];
  return [
    {
      rule: "lock-timeout-not-in-effect",
      message: `this takes away the lock_timeout of ${RUNNER_MS} ms that midflight has set, so a lock is waited for without end and users queue behind it`,
      instead: "delete it",
    },
  ];
};

/** A limit that is no help to users. */
export const lockTimeoutMissing: Rule = (act, { known }) => {
  const limit = known.lockTimeout;
  if (limit.kind !== "own" || limit.ms <= LONGEST_MS) return [];
  const lock = locksOf(act).find(({ table, mode }) => stopsWrites(mode) && known.isInUse(table));
  if (lock === undefined) return [];
  return [
    {
      rule: "lock-timeout-missing",
      message: `${lock.mode} on ${lock.table} is waited for up to ${limit.ms} ms, and every order queues behind it`,
      lock,
      instead: `delete the file's own lock_timeout: midflight waits ${RUNNER_MS} ms and tries again`,
    },
  ];
};

export const lockTimeoutTooShortForConcurrent: Rule = (act, seen) => {
  if (act.kind !== "set" || act.name !== "lock_timeout" || isOneTransaction(seen)) return [];
  if (!isShortForConcurrent(act.value, seen.file.statements)) return [];
  return [
    {
      rule: "lock-timeout-too-short-for-concurrent",
      message: `CONCURRENTLY waits for old snapshots, and a lock_timeout of ${act.value ?? "0"} would end it there and leave an INVALID index`,
      instead: `delete it: midflight waits ${CONCURRENT_MS / 1_000} s, looks whether the index is valid, and clears away what is not`,
    },
  ];
};

export const statementTimeoutMissing: Rule = (act, seen) => {
  if (act.kind !== "set" || act.name !== "statement_timeout" || !(isOneTransaction(seen) || seen.isInner)) return [];
  const ms = act.value === undefined ? 0 : durationMs(act.value);
  if (ms !== undefined && ms > 0 && ms <= RUNNER_STATEMENT_MS) return [];
  return [
    {
      rule: "statement-timeout-missing",
      message: `this takes away the statement_timeout of ${RUNNER_STATEMENT_MS / 1_000} s that midflight has set, and locks are held as long as a statement runs`,
      instead: "delete it; put long work into a file of its own with -- midflight: no-transaction",
    },
  ];
};

type Statements = readonly { readonly acts: readonly { readonly kind: string; readonly isConcurrent?: boolean }[] }[];

const isShortForConcurrent = (value: string | undefined, statements: Statements): boolean => {
  const ms = value === undefined ? undefined : durationMs(value);
  const isShort = ms !== undefined && ms > 0 && ms < CONCURRENT_MS;
  return isShort && statements.some(({ acts }) => acts.some((act) => act.isConcurrent === true));
};
