import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { RESOURCES } from "../api/api-failure.ts";
import { DARK } from "../dark-pod.ts";
import { countedOnce } from "../handover.ts";
import type { ControllerRevision, EndpointSlice, Listed, Pod, PodSet, Template } from "../api/objects.ts";
import { isStaying, seeing, type SeenPod } from "../sight.ts";
import { inOneOrder, list, selectorOf, type Site } from "../site.ts";
import { containerIn } from "../template.ts";
import { troubleOf } from "../explain.ts";
import type { Parts, Scene } from "../api/until.ts";
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

/** The set as it is now. Throws `KUBERNETES_NOT_FOUND` when it has no such container. */
export async function readSet({ api, options: { config } }: Site, signal: AbortSignal): Promise<PodSet> {
  const { kind, name } = config.object;
  const set = await api.send<PodSet>({ verb: "get", resource: RESOURCES[kind], name }, signal);
  const { spec } = set.spec.template;
  if (containerIn(spec, config.container) !== undefined) return set;
  throw new UpgradeError(
    "KUBERNETES_NOT_FOUND",
    `${RESOURCES[kind]}/${name} in ${api.context} has no container ${config.container}; it has ${spec.containers.map((one) => one.name).join(", ")}`,
    { hint: "correct `container` in the environment file" },
  );
}

/** Reads everything once. Changes nothing. */
export const lookAtSet = (site: Site, signal: AbortSignal): Promise<SetSight> =>
  inOneOrder(
    () => readSet(site, signal),
    async (object) => {
      const { sources, sightOf } = sceneOf(site, object);
      const [pods, dark, slices] = await Promise.all([
        list<Pod>(site, sources.pods, signal),
        list<Pod>(site, sources.dark, signal),
        list<EndpointSlice>(site, sources.slices, signal),
      ]);
      return sightOf({ object, pods, dark, slices });
    },
  );

/** What is watched of a set, and how it is seen. */
export function sceneOf(site: Site, set: PodSet): Scene<PodSet, SetSight> {
  const { object, service } = site.options.config;
  return {
    sources: {
      object: { resource: RESOURCES[object.kind], query: { fieldSelector: `metadata.name=${object.name}` } },
      pods: { resource: "pods", query: { labelSelector: selectorOf(set) } },
      dark: { resource: "pods", query: { labelSelector: `${DARK}=${object.name}` } },
      slices: { resource: "endpointslices", query: { labelSelector: `kubernetes.io/service-name=${service}` } },
    },
    sightOf: (parts) => setSightOf(site, parts),
    troubleOf: (pods, sight) => troubleOf(pods, sight.set),
  };
}

function setSightOf(site: Site, { object: set, pods, dark, slices }: Parts<PodSet>): SetSight {
  const seen = seeing(slices, site.frame);
  const kind = kindOf(site);
  return {
    set,
    kind,
    places: kind === "StatefulSet" ? (set.spec.replicas ?? 1) : (set.status?.desiredNumberScheduled ?? 0),
    pods: pods.filter((pod) => isOf(pod, set) && isStaying(pod)).map((pod) => seen(pod)),
    dark: dark.filter((pod) => isStaying(pod)).map((pod) => seen(pod)),
  };
}

const isOf = ({ metadata }: Pod, set: PodSet): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid) === true;

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
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid) === true)
    .toSorted((a, b) => b.revision - a.revision)
    .flatMap(({ data }): readonly Template[] => {
      if (data?.spec?.template === undefined) return [];
      // An order to whoever merges it, and no part of the template.
      const { $patch: _, ...template } = data.spec.template;
      return [template];
    });
}
