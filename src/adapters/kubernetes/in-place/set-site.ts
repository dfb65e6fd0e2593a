import { countedOnce } from "../handover.ts";
import { isOwnedBy, type ControllerRevision, type Listed, type PodSet, type Template } from "../api/objects.ts";
import { isStaying, seeing, type Parts, type SeenPod } from "../sight.ts";
import { lookBy, selectorOf, sightNowBy, type Site } from "../site.ts";
import { troubleOf } from "../explain.ts";
import type { Scene } from "../api/until.ts";
import { sideOf } from "../variant.ts";
import { placesOf, setHeldIn, type SetKind } from "./set-held.ts";

/** Everything of a component in a region, as `Sight` has it of a Deployment. */
export type SetSight = {
  readonly set: PodSet;
  readonly kind: SetKind;
  /** How many pods it shall have. */
  readonly places: number;
  readonly pods: readonly SeenPod[];
  readonly dark: readonly SeenPod[];
};

export const kindOf = ({ options: { config } }: Site): SetKind =>
  config.object.kind === "StatefulSet" ? "StatefulSet" : "DaemonSet";

/** Reads everything once. Changes nothing. */
export const lookAtSet = (site: Site, signal: AbortSignal): Promise<SetSight> =>
  lookBy<PodSet, SetSight>(site, (parts) => setSightOf(site, parts), signal);

/** The same from watches: see `sightNowBy`. */
export const setSightNow = (site: Site, signal: AbortSignal): Promise<SetSight> =>
  sightNowBy<PodSet, SetSight>(site, (parts) => setSightOf(site, parts), signal);

/** How a set that is watched is seen. */
export const sceneOf = (site: Site): Scene<PodSet, SetSight> => ({
  sightOf: (parts) => setSightOf(site, parts),
  troubleOf: (pods, sight) => troubleOf(pods, sight.set),
});

function setSightOf(site: Site, { object: set, pods, dark, slices }: Parts<PodSet>): SetSight {
  const seen = seeing(slices, site.frame);
  const kind = kindOf(site);
  return {
    set,
    kind,
    places: kind === "StatefulSet" ? (set.spec.replicas ?? 1) : (set.status?.desiredNumberScheduled ?? 0),
    pods: pods.filter((pod) => isOwnedBy(pod, set) && isStaying(pod)).map((pod) => seen(pod)),
    dark: dark.filter((pod) => isStaying(pod)).map((pod) => seen(pod)),
  };
}

/** While a place goes from a pod in the dark to a pod of the set, both may be there: whoever looks counts the place once. */
export function placesOnce(sight: SetSight): SetSight {
  const held = setHeldIn(sight.set);
  if (held === undefined) return sight;
  const ordered = placesOf(held, sight.places);
  return countedOnce(sight, held.admitted ?? [], (digest) => {
    const side = sideOf(held, digest);
    return side === undefined ? 0 : ordered[side];
  });
}

/** The exact templates that the set's controller keeps, the newest first. */
export async function pastTemplates(site: Site, set: PodSet, signal: AbortSignal): Promise<readonly Template[]> {
  const { items = [] } = await site.api.send<Listed<ControllerRevision>>(
    { verb: "list", resource: "controllerrevisions", query: { labelSelector: selectorOf(set) } },
    signal,
  );
  return items
    .filter((one) => isOwnedBy(one, set))
    .toSorted((a, b) => b.revision - a.revision)
    .flatMap(({ data }): readonly Template[] => {
      if (data?.spec?.template === undefined) return [];
      // An order to whoever merges it, and no part of the template.
      const { $patch: _, ...template } = data.spec.template;
      return [template];
    });
}
