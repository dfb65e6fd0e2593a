import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Unheld } from "../../ports/lease.ts";
import type { Claim, LeasePlace } from "../../ports/turns.ts";
import { leaseHeld } from "./lease-held.ts";

/** A key in one place. */
export type Spot = { readonly key: string; readonly place: LeasePlace };

/** A spot that could not be taken, and why. */
export type Absent = Spot & { readonly region: string; readonly error: UpgradeError };

/** Whether a run may go on without this spot for now: its region did not answer, or lets nobody in. */
export const absentAs = (spot: Spot, error: unknown): Absent | undefined => {
  const { isVital, region } = spot.place;
  if (isVital || region === undefined || !(error instanceof UpgradeError)) return undefined;
  return error.code === "STATE_UNREACHABLE" || error.code === "KUBERNETES_FORBIDDEN"
    ? { ...spot, region, error }
    : undefined;
};

export const unheldOf = (absent: readonly Absent[]): readonly Unheld[] =>
  absent.map(({ key, region, error }) => ({ key, region, why: error.message }));

/** For whoever must not begin without it: which region it is. */
export function inRegion({ key, place: { region } }: Spot, error: unknown): unknown {
  if (region === undefined || !(error instanceof UpgradeError)) return error;
  if (error.code !== "STATE_UNREACHABLE" && error.code !== "KUBERNETES_FORBIDDEN") return error;
  return new UpgradeError(error.code, `${key} cannot be held in ${region}: ${error.message}`, {
    hint: `${error.hint}; an upgrade begins only where every region of its components can be held, and nothing was begun`,
    cause: error,
  });
}

/**
 * Takes a spot that was absent when the others were taken. Nobody is watched to die here: a holder of the same run lost it to this one already,
 * and any other one, also one that has ended, knows nothing of what this run is about to write.
 */
export async function takeLate({ key, place: { turns } }: Spot, claim: Claim): Promise<number> {
  const last = await turns.last();
  // Taken already, by a request whose answer was lost.
  if (last?.claim.id === claim.id) return last.turn;
  if (last !== undefined && last.claim.epoch >= claim.epoch) throw overtakenBy(key, last.claim);
  if (last !== undefined && !last.isReleased && last.claim.holder.run !== claim.holder.run)
    throw leaseHeld(key, last.claim.holder);
  const turn = (last?.turn ?? 0) + 1;
  if (await turns.claim(turn, claim)) return turn;
  throw leaseHeld(key, ((await turns.last()) ?? { claim }).claim.holder);
}

const overtakenBy = (key: string, { epoch, holder: { run } }: Claim): UpgradeError =>
  new UpgradeError("LEASE_HELD", `run ${run} took ${key} meanwhile, by epoch ${epoch}`, {
    hint: `look at \`midflight status ${run}\`, and resume this run to take a higher epoch`,
  });
