import type { Fence } from "../../../ports/fence.ts";
import { amendObject, refuseForeign } from "../amend.ts";
import type { PodSet } from "../api/objects.ts";
import { differencesOf } from "../hold.ts";
import type { Site } from "../site.ts";
import { heldSetFields, setFieldsOf, setHeldIn, setPatchFor, type SetAmendment, type SetHeld } from "./set-held.ts";
import { kindOf } from "./set-site.ts";

/** What a set shall be, decided on what it is. Undefined: nothing but the fence is written. */
export type DecideSet = (set: PodSet, held: SetHeld | undefined) => SetAmendment | undefined;

/**
 * Reads the set, decides, and writes only if nobody wrote meanwhile; otherwise it reads again. The fence travels in the same write.
 * Rejects: `FENCED`, `FOREIGN_CHANGE` (a held field is not as it was ordered).
 */
export const amendSet = (site: Site, fence: Fence, decide: DecideSet, signal: AbortSignal): Promise<PodSet> =>
  amendObject(
    site,
    fence,
    async (set: PodSet) => {
      const held = setHeldIn(set);
      if (held !== undefined)
        await refuseForeign(site, set, differencesOf(heldSetFields(kindOf(site), held), setFieldsOf(set)), signal);
      return setPatchFor(set, fence, decide(set, held) ?? { held, fields: setFieldsOf(set) });
    },
    signal,
  );
