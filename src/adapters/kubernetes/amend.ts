import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import { isFailure } from "./api/api-failure.ts";
import {
  differencesOf,
  fenceIn,
  fieldsOf,
  heldFields,
  heldIn,
  isLower,
  patchFor,
  type Amendment,
  type Held,
} from "./hold.ts";
import { managersOf, scalersOf, type Manager } from "./beside/managers.ts";
import type { Autoscaler, Deployment, Listed } from "./api/objects.ts";
import { readDeployment, type Site } from "./site.ts";

/** What a Deployment shall be, decided on what it is. Undefined: nothing but the fence is written. */
export type Decide = (deployment: Deployment, held: Held | undefined) => Amendment | undefined;

/** Its status is written by its controller all the time while it rolls, and each write is a conflict. */
export const TRIES = 20;

/**
 * Reads the Deployment, decides, and writes only if nobody wrote meanwhile; otherwise it reads again. The fence travels in the same write.
 * Rejects: `FENCED`, `FOREIGN_CHANGE` (a held field is not as it was ordered).
 */
export async function amend(site: Site, fence: Fence, decide: Decide, signal: AbortSignal): Promise<Deployment> {
  for (let turn = 1; ; turn += 1) {
    const deployment = await readDeployment(site, signal);
    const known = fenceIn(deployment);
    // Whoever is newer may have changed what we see: then it is not foreign, we are late.
    if (isLower(fence, known)) throw fenced(site, fenceText(fence), fenceText(known));
    const held = heldIn(deployment);
    await refuseForeign(site, deployment, held, signal);
    const amendment = decide(deployment, held) ?? { held, fields: fieldsOf(deployment) };
    const [version, ...changes] = patchFor(deployment, fence, amendment);
    if (changes.length === 0) return deployment;
    try {
      return await site.api.send<Deployment>(
        {
          verb: "patch",
          resource: "deployments",
          name: deployment.metadata.name,
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

export const fenced = ({ frame }: Site, fence: string, known: string): UpgradeError =>
  new UpgradeError(
    "FENCED",
    `a write with fence ${fence} was refused for ${frame.component} in ${frame.region}, where ${known} was seen`,
    { hint: "look at `midflight status` to see who acts now" },
  );

async function refuseForeign(
  site: Site,
  deployment: Deployment,
  held: Held | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (held === undefined) return;
  const differences = differencesOf(heldFields(held), fieldsOf(deployment));
  if (differences.length === 0) return;
  const isScaled = differences.some((line) => line.startsWith("replicas:"));
  const suspects = [...managersOf(deployment.metadata), ...(isScaled ? await autoscalersOf(site, signal) : [])];
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `deployment ${deployment.metadata.name} in ${site.api.context} was changed by somebody else while midflight held it: ${differences.join("; ")}${accused(suspects)}`,
    {
      hint: `${suspects.map(({ pause }) => `${pause}; `).join("")}put it back as it was ordered, then \`midflight resume\``,
    },
  );
}

export const accused = (suspects: readonly Manager[]): string =>
  suspects.length === 0 ? "" : ` (it is managed by ${suspects.map(({ name }) => name).join(" and ")})`;

/** None as well when this user may not read them: they only explain. */
export async function autoscalersOf({ api, options }: Site, signal: AbortSignal): Promise<readonly Manager[]> {
  const listed = await api
    .send<Listed<Autoscaler>>({ verb: "list", resource: "horizontalpodautoscalers" }, signal)
    .catch(() => ({ items: [] }));
  return scalersOf(options.config.object, listed.items ?? []);
}
