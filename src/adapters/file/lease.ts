import { join, resolve } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { Lease } from "../../ports/lease.ts";
import type { LeasePlace, LeaseTimes } from "../../ports/turns.ts";
import { leaseOn } from "./lease-on.ts";
import { onState } from "./state-error.ts";
import { turnsIn } from "./turns.ts";

export type FileLeaseOptions = {
  /** The leases' own folder. */
  readonly dir: string;
  readonly clock: Clock;
  /** Names the kernel that this process's pid belongs to. Default: this machine's. */
  readonly machine?: string;
  readonly times?: LeaseTimes;
  /** Where the same keys are taken besides. */
  readonly besides?: (key: string) => readonly LeasePlace[];
};

export const LEASE_TIMES: LeaseTimes = { renewEveryMs: 2_000, giveUpAfterMs: 8_000, lostAfterMs: 10_000 };

/** Leases as folders in `dir`, one a key. */
export function fileLease({ dir, clock, machine, times = LEASE_TIMES, besides }: FileLeaseOptions): Lease {
  const leases = resolve(dir);
  const lease = leaseOn({
    clock,
    placesOf: (key) => [
      { turns: turnsIn(join(leases, encodeURIComponent(key))), times, isVital: true },
      ...(besides?.(key) ?? []),
    ],
    ...(machine === undefined ? {} : { machine }),
  });
  return {
    acquire: (keys, holder, signal, how) => onState("write", leases, () => lease.acquire(keys, holder, signal, how)),
    holder: (key) => onState("read", leases, () => lease.holder(key)),
  };
}
