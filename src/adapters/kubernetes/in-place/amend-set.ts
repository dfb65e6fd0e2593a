import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../../ports/fence.ts";
import { accused, autoscalersOf, fenced, TRIES } from "../amend.ts";
import { isFailure, RESOURCES } from "../api/api-failure.ts";
import { differencesOf, fenceIn, isLower } from "../hold.ts";
import { managersOf } from "../beside/managers.ts";
import type { PodSet } from "../api/objects.ts";
import { objectText, type Site } from "../site.ts";
import { heldSetFields, setFieldsOf, setHeldIn, setPatchFor, type SetAmendment, type SetHeld } from "./set-held.ts";
import { kindOf, readSet } from "./set-site.ts";

/** What a set shall be, decided on what it is. Undefined: nothing but the fence is written. */
export type DecideSet = (set: PodSet, held: SetHeld | undefined) => SetAmendment | undefined;

/**
 * Reads the set, decides, and writes only if nobody wrote meanwhile; otherwise it reads again. The fence travels in the same write.
 * Rejects: `FENCED`, `FOREIGN_CHANGE` (a held field is not as it was ordered).
 */
export async function amendSet(site: Site, fence: Fence, decide: DecideSet, signal: AbortSignal): Promise<PodSet> {
  for (let turn = 1; ; turn += 1) {
    const set = await readSet(site, signal);
    const known = fenceIn(set);
    // Whoever is newer may have changed what we see: then it is not foreign, we are late.
    if (isLower(fence, known)) throw fenced(site, fenceText(fence), fenceText(known));
    const held = setHeldIn(set);
    await refuseForeign(site, set, held, signal);
    const [version, ...changes] = setPatchFor(set, fence, decide(set, held) ?? { held, fields: setFieldsOf(set) });
    if (changes.length === 0) return set;
    try {
      const { kind, name } = site.options.config.object;
      return await site.api.send<PodSet>(
        {
          verb: "patch",
          resource: RESOURCES[kind],
          name,
          query: { fieldManager: "midflight" },
          body: [version, ...changes],
        },
        signal,
      );
    } catch (error) {
      if (!isFailure(error, 409) || turn === TRIES) throw error;
    }
  }
}

async function refuseForeign(site: Site, set: PodSet, held: SetHeld | undefined, signal: AbortSignal): Promise<void> {
  if (held === undefined) return;
  const differences = differencesOf(heldSetFields(kindOf(site), held), setFieldsOf(set));
  if (differences.length === 0) return;
  const isScaled = differences.some((line) => line.startsWith("replicas:"));
  const suspects = [...managersOf(set.metadata), ...(isScaled ? await autoscalersOf(site, signal) : [])];
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `${objectText(site)} in ${site.api.context} was changed by somebody else while midflight held it: ${differences.join("; ")}${accused(suspects)}`,
    {
      hint: `${suspects.map(({ pause }) => `${pause}; `).join("")}put it back as it was ordered, then \`midflight resume\``,
    },
  );
}
