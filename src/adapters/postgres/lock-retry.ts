import { UpgradeError } from "../../errors/upgrade-error.ts";
import { watchBlockers } from "./blockers.ts";
import { LOCK_NOT_AVAILABLE, sqlState } from "./explain-error.ts";
import type { Session } from "./session.ts";
import { placeOf } from "./split.ts";
import type { Statement } from "./split.ts";
import type { Worker } from "./worker.ts";

/** A wait for a lock that the server ended in time. Its message says what waited. */
export class LockTimeout extends Error {
  readonly firstLine: string;

  constructor(statement: Statement | undefined, cause: unknown) {
    super(statement === undefined ? "midflight's own history" : placeOf(statement), { cause });
    this.name = "LockTimeout";
    this.firstLine = statement?.firstLine ?? "";
  }
}

export const isLockTimeout = (error: unknown): boolean => sqlState(error) === LOCK_NOT_AVAILABLE;

/** Lock time-outs of one file so far, for its report. */
export type LockCount = { lockRetries: number };

/**
 * Tries again while `attempt` ends with a `LockTimeout`, and with nothing else. In the pauses users pass: the wait itself is
 * what holds them up. Rejects `MIGRATION_LOCKED` with who was in the way, since only that session can make room.
 */
export const withLockRetries = async <T>(
  session: Session,
  worker: Worker,
  count: LockCount,
  attempt: () => Promise<T>,
): Promise<T> => {
  const { budgets, clock } = session;
  const deadline = clock.monotonic() + budgets.lockTotalMs;
  let blockers: string | undefined;
  for (let tries = 1; ; tries += 1) {
    const watch = watchBlockers(session.keeper, worker.pid, clock, Math.max(5, budgets.lockTimeoutMs / 3));
    try {
      return await attempt();
    } catch (error) {
      blockers = (await watch.stop()) ?? blockers;
      const timeout = isLockTimeout(error) ? new LockTimeout(undefined, error) : error;
      if (!(timeout instanceof LockTimeout)) throw error;
      count.lockRetries += 1;
      const delayMs = delayAfter(tries, session.luck());
      if (tries >= budgets.lockTries || clock.monotonic() + delayMs > deadline)
        throw locked(session, timeout, tries, blockers);
      await clock.sleep(delayMs, session.signal);
    } finally {
      await watch.stop();
    }
  }
};

/** ms to wait after the n-th failure. `luck` from 0 to 1. */
export const delayAfter = (failures: number, luck: number): number =>
  Math.min(2_000, 200 * 2 ** Math.min(failures, 3)) * (0.5 + luck);

/** The budget is used up. */
export const locked = (
  { target }: Session,
  timeout: LockTimeout,
  tries: number,
  blockers: string | undefined,
): UpgradeError => {
  const who = blockers ?? "a session that was gone when midflight looked";
  const message = `${timeout.message} did not get its lock in ${tries} ${tries === 1 ? "try" : "tries"}. In the way: ${who}\n  ${timeout.firstLine}`;
  return new UpgradeError("MIGRATION_LOCKED", target.redact(message).trimEnd(), {
    hint: "end that session's transaction, or wait for it, then try again",
    cause: timeout.cause,
  });
};
