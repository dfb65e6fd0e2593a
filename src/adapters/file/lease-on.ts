import { randomUUID } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { HeldLease, Lease } from "../../ports/lease.ts";
import type { Claim, LeasePlace, LeaseTimes, Turn } from "../../ports/turns.ts";
import type { Taken } from "./heartbeat.ts";
import { heartbeat } from "./heartbeat.ts";
import { leaseHeld } from "./lease-held.ts";
import { startOf, thisMachine } from "./process-identity.ts";

export type LeaseOptions = {
  /** Where a key is taken. At least one place is vital. */
  readonly placesOf: (key: string) => readonly LeasePlace[];
  readonly clock: Clock;
  /** Names the kernel that this process's pid belongs to. Default: this machine's. */
  readonly machine?: string;
};

/**
 * Leases whose turns are kept wherever `placesOf` says. A holder on this machine is judged by its process: gone, or another one under the
 * same pid, and it is taken over at once. A holder elsewhere is judged by its heartbeat, so that taking over from it means watching it first.
 * One epoch for all keys and places, higher than any of them ever saw.
 */
export function leaseOn({ placesOf, clock, machine }: LeaseOptions): Lease {
  const here = machine === undefined ? thisMachine() : Promise.resolve(machine);
  const world: Watch = { clock, judge: async (claim, host) => judge(claim, host, await here) };

  return {
    async acquire(keys, holder, signal) {
      signal.throwIfAborted();
      const spots = [...new Set(keys)]
        .toSorted()
        .flatMap((key) => placesOf(key).map((place): Spot => ({ key, place })));
      const found = await findAll(spots, holder.host, world, signal);
      const epoch = 1 + Math.max(0, ...found.map(({ last }) => last?.claim.epoch ?? 0));
      const sentAt = clock.monotonic();
      const claim: Claim = {
        id: randomUUID(),
        epoch,
        holder: { run: holder.run, host: holder.host, pid: holder.pid, since: clock.now() },
        machine: await here,
        started: (await startOf(holder.pid)) ?? "",
      };
      const taken = await claimAll(found, claim, signal);
      return { epoch, ...keep(taken, claim, { clock, sentAt }) };
    },
    async holder(key) {
      for (const { turns } of placesOf(key)) {
        const last = await turns.last();
        if (last === undefined || last.isReleased) continue;
        const { holder } = last.claim;
        const judgement = await world.judge(last.claim, holder.host);
        if (judgement === "alive" || (judgement === "elsewhere" && last.isSilent !== true)) return holder;
      }
      return undefined;
    },
  };
}

type Spot = { readonly key: string; readonly place: LeasePlace };
type Found = Spot & { readonly last: Turn | undefined };
type Watch = { readonly clock: Clock; readonly judge: (claim: Claim, host: string) => Promise<Judgement> };
/** `elsewhere`: its pid means nothing to this kernel. */
type Judgement = "alive" | "dead" | "elsewhere";

async function judge(claim: Claim, host: string, machine: string): Promise<Judgement> {
  if (claim.holder.host !== host || claim.machine !== machine) return "elsewhere";
  return (await startOf(claim.holder.pid)) === claim.started ? "alive" : "dead";
}

/** All at once: to watch a silent holder die takes time in each place. */
async function findAll(
  spots: readonly Spot[],
  host: string,
  watch: Watch,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const end = new AbortController();
  const within = AbortSignal.any([signal, end.signal]);
  try {
    return await Promise.all(
      spots.map(async (spot): Promise<Found> => ({ ...spot, last: await lastFree(spot, host, watch, within) })),
    );
  } finally {
    end.abort();
  }
}

/** The last turn once it is free to follow. Rejects `LEASE_HELD` as soon as its holder is known to live. */
async function lastFree(
  { key, place }: Spot,
  host: string,
  watch: Watch,
  signal: AbortSignal,
): Promise<Turn | undefined> {
  signal.throwIfAborted();
  const last = await place.turns.last();
  if (last === undefined || last.isReleased) return last;
  switch (await watch.judge(last.claim, host)) {
    case "dead":
      return last;
    case "alive":
      throw leaseHeld(key, last.claim.holder);
    case "elsewhere":
      return watchDie({ key, place }, last, watch.clock, signal);
  }
}

/** Watches a heartbeat from afar until it has stood still for long enough, by the clock of this process alone. */
async function watchDie(
  { key, place: { turns, times } }: Spot,
  first: Turn,
  clock: Clock,
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

type Held = Taken & { readonly place: LeasePlace };

/** All or none: what was taken is given back when one of them went to somebody else. */
async function claimAll(found: readonly Found[], claim: Claim, signal: AbortSignal): Promise<readonly Held[]> {
  const taken: Held[] = [];
  try {
    for (const { key, place, last } of found) {
      signal.throwIfAborted();
      const { turns } = place;
      const turn = (last?.turn ?? 0) + 1;
      if (!(await turns.claim(turn, claim))) throw leaseHeld(key, ((await turns.last()) ?? { claim }).claim.holder);
      taken.push({ key, turns, turn, place });
    }
    return taken;
  } catch (error) {
    // One that cannot be given back expires by itself; what was refused first is what the caller must know.
    await Promise.allSettled(taken.map(({ turns, turn }) => turns.release(turn)));
    throw error;
  }
}

/** The vital places beat together. Each other one beats for itself, so that one that hangs holds up nobody. */
function keep(
  taken: readonly Held[],
  claim: Claim,
  { clock, sentAt }: { readonly clock: Clock; readonly sentAt: number },
): Pick<HeldLease, "lost" | "release"> {
  const vital = Map.groupBy(
    taken.filter(({ place }) => place.isVital),
    ({ place }) => place.times,
  );
  const others = taken.filter(({ place }) => !place.isVital);
  const vitalBeats = [...vital].map(([times, group]) => heartbeat(group, claim, { clock, times, sentAt }));
  const otherBeats = others.map((one) => heartbeat([one], claim, { clock, times: untilOvertaken(one), sentAt }));
  const release = async (): Promise<void> => {
    // A place that does not answer any more frees its lease by time.
    await Promise.allSettled(otherBeats.map((beat) => beat.release()));
    await Promise.all(vitalBeats.map((beat) => beat.release()));
  };
  let released: Promise<void> | undefined;
  return {
    lost: AbortSignal.any([...vitalBeats, ...otherBeats].map(({ lost }) => lost)),
    release: () => (released ??= release()),
  };
}

const untilOvertaken = ({ place }: Held): LeaseTimes => ({
  ...place.times,
  giveUpAfterMs: Number.POSITIVE_INFINITY,
});
