import { raiseFence } from "./fence.ts";
import { withLockRetries } from "./lock-retry.ts";
import type { LockCount } from "./lock-retry.ts";
import { setCatalogueTimeouts } from "./run-statement.ts";
import type { Session } from "./session.ts";
import type { Worker } from "./worker.ts";

/**
 * One transaction of the catalogue class, tried again after lock time-outs. The fence is its first lock, so changes of two
 * runners cannot overlap. `what` completes "it is unknown whether …".
 */
export const fencedTransaction = <T>(
  session: Session,
  worker: Worker,
  count: LockCount,
  what: string,
  work: () => Promise<T>,
): Promise<T> =>
  withLockRetries(session, worker, count, () =>
    worker.transaction(async () => {
      await setCatalogueTimeouts(session, worker);
      await raiseFence(worker, session.target, session.fence);
      return work();
    }, what),
  );
