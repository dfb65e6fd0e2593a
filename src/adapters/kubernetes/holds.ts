import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import type { Hold, Holds, Keeping } from "../../ports/holds.ts";
import { fenced } from "./amend.ts";
import { isFailure } from "./api-failure.ts";
import { removePods } from "./dark-pods.ts";
import { cleanHistory } from "./history.ts";
import { differencesOf, fenceIn, fieldsOf, HELD, heldIn, isLower, patchFor, type Fields, type Held } from "./hold.ts";
import { unobserved } from "./judge.ts";
import type { Deployment } from "./objects.ts";
import type { KubernetesOptions } from "./options.ts";
import { giveBackIn, waitingIn } from "./pausing.ts";
import type { Sight } from "./sight.ts";
import { inOurWords, look, readDeployment, sitesOf, type Site } from "./site.ts";
import { until } from "./until.ts";
import { podsOf } from "./variant.ts";

/** Deployments that a run left held, pods that it left in the dark, and managers that wait for it. */
export function kubernetesHolds(options: KubernetesOptions): Holds {
  const sites = sitesOf(options);
  return {
    look: (region, keeping, signal) => inOurWords("WORKLOAD_UNREACHABLE", () => lookIn(sites(region), keeping, signal)),
    release: (hold, keeping, fence, signal) =>
      inOurWords("WORKLOAD_UNREACHABLE", () => releaseIn(sites(hold.region), hold, { keeping, fence }, signal)),
  };
}

async function lookIn(site: Site, keeping: Keeping, signal: AbortSignal): Promise<Hold | undefined> {
  const [sight, waiting] = await Promise.all([look(site, signal), waitingIn(site, signal)]);
  const { deployment, dark } = sight;
  const held = heldIn(deployment);
  if (held === undefined && dark.length === 0 && waiting.length === 0) return undefined;
  const record = deployment.metadata.annotations?.[HELD];
  return {
    region: site.region,
    place: `deployment ${deployment.metadata.name} in ${site.api.namespace} of ${site.api.context}`,
    ...(held === undefined ? {} : { stands: standing(held, sight, site) }),
    changes: held === undefined ? [] : differencesOf(fieldsOf(deployment), fieldsFor(held, keeping)),
    dark: dark.map(({ pod }) => pod.metadata.name),
    waiting,
    fence: fenceIn(deployment),
    ...(record === undefined ? {} : { record }),
  };
}

/** The rollout's own fields as they were, with the template of one of the two releases. */
const fieldsFor = ({ rest, before, after }: Held, keeping: Keeping): Fields => ({
  ...rest,
  template: keeping === "new" ? (after ?? before).template : before.template,
});

function standing(held: Held, sight: Sight, { frame }: Site): string {
  const sides = ["before", "after"] as const;
  const counts = sides.flatMap((side) => {
    const digest = held[side]?.digest;
    const { length } = podsOf(held, side, sight, frame.container);
    return digest === undefined ? [] : [`${length} of ${frame.names.get(digest) ?? digest.slice(0, 19)}`];
  });
  return `${counts.join(" and ")}, where ${held.rest.replicas} are meant to be`;
}

type How = { readonly keeping: Keeping; readonly fence: Fence };

async function releaseIn(site: Site, hold: Hold, how: How, signal: AbortSignal): Promise<void> {
  if (hold.record !== undefined) await putBack(site, hold.record, how, signal);
  const { dark } = await look(site, signal);
  await removePods(
    site,
    dark.filter(({ pod }) => hold.dark.includes(pod.metadata.name)),
    signal,
  );
  await giveBackIn(site, undefined, signal);
  if (hold.record === undefined) return;
  // A controller that has not read this yet would copy the record to its ReplicaSets once more.
  const { deployment } = await until(site, unobserved, signal);
  await cleanHistory(site, deployment, signal);
}

/** Its status is written by its controller all the time while it rolls, and each write is a conflict. */
const TRIES = 20;

/** Unlike a run, this takes no offence at fields that somebody changed meanwhile: they were shown, and who asked said yes. */
async function putBack(site: Site, record: string, { keeping, fence }: How, signal: AbortSignal): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    const deployment = await readDeployment(site, signal);
    const known = fenceIn(deployment);
    if (isLower(fence, known)) throw fenced(site, fenceText(fence), fenceText(known));
    const held = heldIn(deployment);
    if (held === undefined) return;
    if (deployment.metadata.annotations?.[HELD] !== record) throw writtenMeanwhile(site, deployment);
    const body = patchFor(deployment, fence, { held: undefined, fields: fieldsFor(held, keeping) });
    try {
      const { name } = deployment.metadata;
      await site.api.send(
        { verb: "patch", resource: "deployments", name, query: { fieldManager: "midflight" }, body },
        signal,
      );
      return;
    } catch (error) {
      if (!isFailure(error, 409) || turn === TRIES) throw error;
    }
  }
}

const writtenMeanwhile = ({ api }: Site, { metadata }: Deployment): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `deployment ${metadata.name} in ${api.context} was written by a run since it was looked at: that run lives`,
    { hint: "find out who acts there (`midflight status`), end it, then try again" },
  );
