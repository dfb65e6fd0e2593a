import { leaseHeld } from "../../src/adapters/file/lease-held.ts";
import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { HeldLease, Lease, LeaseHolder } from "../../src/ports/lease.ts";

/** Leases in memory. Nobody renews: a holder lives until it is killed, overtaken or releases. */
export type FakeLease = Lease & {
  /** The process of this run died: the next one takes over. Its own `lost` never fires. */
  die(run: string): void;
  /** Another conductor takes the keys of this run by force: `lost` fires. Returns the new epoch. */
  overtake(run: string): number;
  /** The last epoch of a key; 0 if it was never held. */
  epoch(key: string): number;
};

type Claim = {
  readonly holder: LeaseHolder;
  readonly keys: readonly string[];
  readonly lost: AbortController;
  isDead: boolean;
};

export const fakeLease = (now: () => number = () => 0): FakeLease => {
  const claims = new Map<string, Claim>();
  const epochs = new Map<string, number>();

  const claim = (keys: readonly string[], holder: LeaseHolder): { readonly claim: Claim; readonly epoch: number } => {
    const epoch = 1 + Math.max(0, ...keys.map((key) => epochs.get(key) ?? 0));
    const mine: Claim = { holder, keys, lost: new AbortController(), isDead: false };
    for (const key of keys) {
      epochs.set(key, epoch);
      claims.set(key, mine);
    }
    return { claim: mine, epoch };
  };
  const of = (run: string): readonly Claim[] => [
    ...new Set([...claims.values()].filter((each) => each.holder.run === run)),
  ];

  return {
    async acquire(keys, holder, signal): Promise<HeldLease> {
      signal.throwIfAborted();
      const wanted = [...new Set(keys)].toSorted();
      for (const key of wanted) {
        const current = claims.get(key);
        if (current !== undefined && !current.isDead) throw leaseHeld(key, current.holder);
      }
      const { claim: mine, epoch } = claim(wanted, { ...holder, since: now() });
      return {
        epoch,
        lost: mine.lost.signal,
        async release() {
          for (const key of mine.keys) if (claims.get(key) === mine) claims.delete(key);
        },
      };
    },
    async holder(key) {
      const current = claims.get(key);
      return current === undefined || current.isDead ? undefined : current.holder;
    },
    die(run) {
      for (const each of of(run)) each.isDead = true;
    },
    overtake(run) {
      const taken = of(run);
      const { epoch } = claim(
        taken.flatMap((each) => each.keys),
        { run: "overtaker", host: "elsewhere", pid: 1, since: now() },
      );
      for (const each of taken)
        each.lost.abort(
          new UpgradeError("LEASE_LOST", `run ${run} was overtaken`, { hint: "look at `midflight status`" }),
        );
      return epoch;
    },
    epoch: (key) => epochs.get(key) ?? 0,
  };
};
