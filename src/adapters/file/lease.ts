import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { Lease } from "../../ports/lease.ts";
import type { LeaseTimes, Taken } from "./heartbeat.ts";
import { heartbeat } from "./heartbeat.ts";
import { leaseHeld } from "./lease-held.ts";
import { startOf, thisMachine } from "./process-identity.ts";
import { onState } from "./state-error.ts";
import { turnsIn } from "./turns.ts";
import type { Claim, Turn, Turns } from "./turns.ts";

export type FileLeaseOptions = {
  /** The leases' own folder. */
  readonly dir: string;
  readonly clock: Clock;
  /** Names the kernel that this process's pid belongs to. Default: this machine's. */
  readonly machine?: string;
  readonly times?: LeaseTimes;
};

export const LEASE_TIMES: LeaseTimes = { renewEveryMs: 2_000, giveUpAfterMs: 8_000, lostAfterMs: 10_000 };

/**
 * Leases as folders in `dir`, one a key. A holder on this machine is judged by its process: gone, or another one under the same pid,
 * and it is taken over at once. A holder elsewhere is judged by its heartbeat, so that taking over from it means watching it first.
 */
export function fileLease({ dir, clock, machine, times = LEASE_TIMES }: FileLeaseOptions): Lease {
  const leases = resolve(dir);
  const turnsOf = (key: string): Turns => turnsIn(join(leases, encodeURIComponent(key)));
  const here = machine === undefined ? thisMachine() : Promise.resolve(machine);
  const world: Watch = { clock, times, judge: async (claim, host) => judge(claim, host, await here) };

  return {
    acquire: (keys, holder, signal) =>
      onState("write", leases, async () => {
        const found: Found[] = [];
        for (const key of [...new Set(keys)].toSorted())
          found.push({ key, turns: turnsOf(key), last: await lastFree(key, turnsOf(key), holder.host, world, signal) });
        const epoch = 1 + Math.max(0, ...found.map(({ last }) => last?.claim.epoch ?? 0));
        const process = { machine: await here, started: (await startOf(holder.pid)) ?? "" };
        const sentAt = clock.monotonic();
        const claim: Claim = {
          id: randomUUID(),
          epoch,
          holder: { run: holder.run, host: holder.host, pid: holder.pid, since: clock.now() },
          ...process,
        };
        const taken = await claimAll(found, claim, signal);
        return { epoch, ...heartbeat(taken, claim, { clock, times, sentAt }) };
      }),
    holder: (key) =>
      onState("read", leases, async () => {
        const last = await turnsOf(key).last();
        if (last === undefined || last.isReleased) return undefined;
        const { holder } = last.claim;
        return (await world.judge(last.claim, holder.host)) === "dead" ? undefined : holder;
      }),
  };
}

type Watch = {
  readonly clock: Clock;
  readonly times: LeaseTimes;
  readonly judge: (claim: Claim, host: string) => Promise<Judgement>;
};
/** `elsewhere`: its pid means nothing to this kernel. */
type Judgement = "alive" | "dead" | "elsewhere";
type Found = { readonly key: string; readonly turns: Turns; readonly last: Turn | undefined };

async function judge(claim: Claim, host: string, machine: string): Promise<Judgement> {
  if (claim.holder.host !== host || claim.machine !== machine) return "elsewhere";
  return (await startOf(claim.holder.pid)) === claim.started ? "alive" : "dead";
}

/** The last turn once it is free to follow. Rejects `LEASE_HELD` as soon as its holder is known to live. */
async function lastFree(
  key: string,
  turns: Turns,
  host: string,
  watch: Watch,
  signal: AbortSignal,
): Promise<Turn | undefined> {
  signal.throwIfAborted();
  const last = await turns.last();
  if (last === undefined || last.isReleased) return last;
  switch (await watch.judge(last.claim, host)) {
    case "dead":
      return last;
    case "alive":
      throw leaseHeld(key, last.claim.holder);
    case "elsewhere":
      return watchDie(key, turns, last, watch, signal);
  }
}

/** Watches a heartbeat from afar until it has stood still for long enough, by the clock of this process alone. */
async function watchDie(
  key: string,
  turns: Turns,
  first: Turn,
  { clock, times }: Watch,
  signal: AbortSignal,
): Promise<Turn> {
  const since = clock.monotonic();
  while (clock.monotonic() - since < times.lostAfterMs) {
    await clock.sleep(times.renewEveryMs / 4, signal);
    const now = await turns.last();
    if (now?.turn === first.turn && now.isReleased) return now;
    if (now?.turn !== first.turn || now.beat !== first.beat) throw leaseHeld(key, (now ?? first).claim.holder);
  }
  return first;
}

/** All or none: what was taken is given back when one of them went to somebody else. */
async function claimAll(found: readonly Found[], claim: Claim, signal: AbortSignal): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  try {
    for (const { key, turns, last } of found) {
      signal.throwIfAborted();
      const turn = (last?.turn ?? 0) + 1;
      if (!(await turns.claim(turn, claim))) throw leaseHeld(key, ((await turns.last()) ?? { claim }).claim.holder);
      taken.push({ key, turns, turn });
    }
    return taken;
  } catch (error) {
    for (const { turns, turn } of taken) await turns.release(turn);
    throw error;
  }
}
