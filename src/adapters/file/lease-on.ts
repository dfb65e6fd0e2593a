import { randomUUID } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { HeldLease, Lease } from "../../ports/lease.ts";
import type { Claim, LeasePlace, LeaseTimes, Turn } from "../../ports/turns.ts";
import { absentAs, inRegion, takeLate, unheldOf, type Absent, type Spot } from "./absent.ts";
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
    async acquire(keys, holder, signal, { isGoingOn = false } = {}) {
      signal.throwIfAborted();
      const spots = [...new Set(keys)]
        .toSorted()
        .flatMap((key) => placesOf(key).map((place): Spot => ({ key, place })));
      const without = isGoingOn ? absentAs : () => undefined;
      const { found, absent } = await findAll(spots, holder.host, { ...world, without }, signal);
      const epoch = 1 + Math.max(0, ...found.map(({ last }) => last?.claim.epoch ?? 0));
      const sentAt = clock.monotonic();
      const claim: Claim = {
        id: randomUUID(),
        epoch,
        holder: { run: holder.run, host: holder.host, pid: holder.pid, since: clock.now() },
        machine: await here,
        started: (await startOf(holder.pid)) ?? "",
      };
      const { taken, lost } = await claimAll(found, claim, without, signal);
      const missing = [...absent, ...lost];
      return {
        epoch,
        ...(missing.length === 0 ? {} : { unheld: unheldOf(missing) }),
        ...keep(taken, missing, claim, { clock, sentAt }),
      };
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

type Found = Spot & { readonly last: Turn | undefined };
type Watch = { readonly clock: Clock; readonly judge: (claim: Claim, host: string) => Promise<Judgement> };
/** What a spot is that may be done without, for now. */
type Without = (spot: Spot, error: unknown) => Absent | undefined;
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
  watch: Watch & { readonly without: Without },
  signal: AbortSignal,
): Promise<{ readonly found: readonly Found[]; readonly absent: readonly Absent[] }> {
  const end = new AbortController();
  const within = AbortSignal.any([signal, end.signal]);
  const absent: Absent[] = [];
  try {
    const found = await Promise.all(
      spots.map(async (spot): Promise<readonly Found[]> => {
        try {
          return [{ ...spot, last: await lastFree(spot, host, watch, within) }];
        } catch (error) {
          const missing = watch.without(spot, error);
          if (missing === undefined) throw inRegion(spot, error);
          absent.push(missing);
          return [];
        }
      }),
    );
    return { found: found.flat(), absent };
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
async function claimAll(
  found: readonly Found[],
  claim: Claim,
  without: Without,
  signal: AbortSignal,
): Promise<{ readonly taken: readonly Held[]; readonly lost: readonly Absent[] }> {
  const taken: Held[] = [];
  const lost: Absent[] = [];
  try {
    for (const { key, place, last } of found) {
      signal.throwIfAborted();
      const { turns } = place;
      const turn = (last?.turn ?? 0) + 1;
      try {
        if (!(await turns.claim(turn, claim))) throw leaseHeld(key, ((await turns.last()) ?? { claim }).claim.holder);
        taken.push({ key, turns, turn, place });
      } catch (error) {
        const missing = without({ key, place }, error);
        if (missing === undefined) throw inRegion({ key, place }, error);
        lost.push(missing);
      }
    }
    return { taken, lost };
  } catch (error) {
    // One that cannot be given back expires by itself; what was refused first is what the caller must know.
    await Promise.allSettled(taken.map(({ turns, turn }) => turns.release(turn)));
    throw error;
  }
}

/** The vital places beat together. Each other one beats for itself, so that one that hangs holds up nobody. */
function keep(
  taken: readonly Held[],
  absent: readonly Absent[],
  claim: Claim,
  { clock, sentAt }: { readonly clock: Clock; readonly sentAt: number },
): Pick<HeldLease, "lost" | "enter" | "release"> {
  const vital = Map.groupBy(
    taken.filter(({ place }) => place.isVital),
    ({ place }) => place.times,
  );
  const beatOf = (one: Held) => heartbeat([one], claim, { clock, times: untilOvertaken(one), sentAt });
  const vitalBeats = [...vital].map(([times, group]) => heartbeat(group, claim, { clock, times, sentAt }));
  const otherBeats = taken.filter(({ place }) => !place.isVital).map((one) => beatOf(one));
  const late = new AbortController();
  const missing = new Map(absent.map((one) => [nameOf(one.key, one.region), one]));
  const entering = new Map<string, Promise<void>>();
  const take = async (one: Absent): Promise<void> => {
    const turn = await takeLate(one, claim);
    const beat = beatOf({ key: one.key, turns: one.place.turns, turn, place: one.place });
    otherBeats.push(beat);
    beat.lost.addEventListener("abort", () => late.abort(beat.lost.reason), { once: true });
    missing.delete(nameOf(one.key, one.region));
  };
  const release = async (): Promise<void> => {
    // A place that does not answer any more frees its lease by time.
    await Promise.allSettled(entering.values());
    await Promise.allSettled(otherBeats.map((beat) => beat.release()));
    await Promise.all(vitalBeats.map((beat) => beat.release()));
  };
  let released: Promise<void> | undefined;
  return {
    lost: AbortSignal.any([late.signal, ...[...vitalBeats, ...otherBeats].map(({ lost }) => lost)]),
    async enter(key, region, signal) {
      const name = nameOf(key, region);
      const one = missing.get(name);
      if (one === undefined || released !== undefined) return;
      signal.throwIfAborted();
      // Two writes at once take it once.
      const going = entering.get(name) ?? take(one).finally(() => entering.delete(name));
      entering.set(name, going);
      await going;
    },
    release: () => (released ??= release()),
  };
}

/** No key and no region has a space in it. */
const nameOf = (key: string, region: string): string => `${key} ${region}`;

const untilOvertaken = ({ place }: Held): LeaseTimes => ({
  ...place.times,
  giveUpAfterMs: Number.POSITIVE_INFINITY,
});
