import type { Fence } from "../../ports/fence.ts";
import { amend } from "./amend.ts";
import { ApiFailure } from "./api/api-failure.ts";
import { isPassing } from "./api/follow.ts";
import { FENCE, HELD } from "./hold.ts";
import type { Deployment } from "./api/objects.ts";
import type { Site } from "./site.ts";

/** What one call works with. */
export type Errand = {
  readonly site: Site;
  readonly fence: Fence;
  readonly signal: AbortSignal;
  readonly stamp: Stamp;
};

/**
 * The fence of a call stands in the Deployment before the call waits or changes anything. Where its first act is an order, both are one write, which
 * is then refused if anybody changed its spec or gave another order since this one was decided on.
 */
type Stamp = { isWritten: boolean; /** What was found: generation, fence and order. */ basis?: string };

/** Acts, and leaves the fence there whatever came of it. Rejects `FENCED` before anything else. */
export async function underFence(
  on: Pick<Errand, "site" | "fence" | "signal">,
  act: (errand: Errand) => Promise<void>,
): Promise<void> {
  const errand: Errand = { ...on, stamp: { isWritten: false } };
  try {
    await act(errand);
  } catch (error) {
    // Nobody is asked twice who does not answer.
    if (on.signal.aborted || (error instanceof ApiFailure && isPassing(error))) throw error;
    await writeFence(errand);
    if (!(error instanceof Overtaken)) throw error;
    await act(errand);
  }
  await writeFence(errand);
}

/** Unless it stands there already. */
export async function writeFence({ site, fence, signal, stamp }: Errand): Promise<void> {
  if (stamp.isWritten) return;
  await amend(site, fence, () => undefined, signal);
  stamp.isWritten = true;
}

/** What is decided from now on is decided on this. */
export function decideOn(deployment: Deployment, { stamp }: Errand): void {
  stamp.basis = basisOf(deployment);
}

/** Throws when the first write of a call would go over an order that it did not know. */
export function refuseOvertaken(deployment: Deployment, { stamp }: Errand): void {
  if (!stamp.isWritten && stamp.basis !== basisOf(deployment)) throw new Overtaken();
}

/** Somebody changed it, or gave another order, in the meantime: it is looked at again, under the fence. */
class Overtaken extends Error {}

/** Whatever somebody changes of its spec is a new generation: also that it is paused. */
const basisOf = ({ metadata: { annotations, generation = 0 } }: Deployment): string =>
  `${generation} ${annotations?.[FENCE] ?? ""} ${annotations?.[HELD] ?? ""}`;
