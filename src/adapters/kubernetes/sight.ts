import type { Instance, WorkloadState } from "../../graph/observation.ts";
import { releaseDigest, type Configured } from "./config.ts";
import { ORDINAL } from "./dark-pod.ts";
import type { Deployment, EndpointSlice, Pod } from "./api/objects.ts";
import { containerIn, digestIn, TEMPLATE_HASH } from "./template.ts";

/** Everything of a component in a region, read from the API at about one time. */
export type Sight = {
  readonly deployment: Deployment;
  /** Of the Deployment. Whoever is on its way out is no longer counted. */
  readonly pods: readonly SeenPod[];
  /** Of our own, which no Service selects. */
  readonly dark: readonly SeenPod[];
};

export type SeenPod = {
  readonly pod: Pod;
  /** `?` where neither the image's name nor the node tells. */
  readonly digest: string;
  readonly image: string;
  readonly isReady: boolean;
  readonly weightPct: number;
};

/** Names and places that a sight is made with. */
export type Frame = {
  readonly component: string;
  readonly region: string;
  /** Name of the Deployment, StatefulSet or DaemonSet. */
  readonly object: string;
  readonly container: string;
  readonly port: number;
  /** Releases that are more than their image, those with the most config first. Absent: none is. */
  readonly configured?: readonly Configured[];
  /** Digest → `gateway@2.0`. */
  readonly names: ReadonlyMap<string, string>;
};

/** What is read of an object, before it is made sense of. */
export type Parts<O> = {
  readonly object: O;
  readonly pods: readonly Pod[];
  readonly dark: readonly Pod[];
  readonly slices: readonly EndpointSlice[];
};

export function sightOf({ object: deployment, pods, dark, slices }: Parts<Deployment>, frame: Inside): Sight {
  const seen = seeing(slices, frame);
  return {
    deployment,
    pods: pods.filter((pod) => isOf(pod, deployment) && isStaying(pod)).map((pod) => seen(pod)),
    dark: dark.filter((pod) => isStaying(pod)).map((pod) => seen(pod)),
  };
}

/** What of a pod is looked at. */
export type Inside = Pick<Frame, "container" | "configured">;

/** How a pod is seen by whoever knows the endpoints of its Service. */
export function seeing(slices: readonly EndpointSlice[], frame: Inside): (pod: Pod) => SeenPod {
  const endpoints = endpointsIn(slices);
  return (pod) => {
    const isReady = conditionOf(pod, "Ready") === "True";
    const isListed = endpoints.get(pod.metadata.name);
    return {
      pod,
      digest: digestOf(pod, frame),
      image: containerIn(pod.spec, frame.container)?.image ?? "",
      isReady,
      // One that is not ready keeps its place in the Service, as a dead process keeps its weight at a balancer.
      weightPct: isListed === true || (isListed === false && !isReady) ? 100 : 0,
    };
  };
}

/** Pod → whether its endpoint takes traffic. */
function endpointsIn(slices: readonly EndpointSlice[]): ReadonlyMap<string, boolean> {
  const listed = slices.flatMap(({ endpoints }) => endpoints ?? []);
  return new Map(
    listed.flatMap(({ targetRef, conditions }): [string, boolean][] =>
      targetRef?.kind === "Pod" && targetRef.name !== undefined && conditions?.terminating !== true
        ? [[targetRef.name, conditions?.ready !== false]]
        : [],
    ),
  );
}

/** Its ReplicaSets are named after it and their hash: somebody else's pods may carry the same labels. */
const isOf = ({ metadata }: Pod, deployment: Deployment): boolean =>
  metadata.ownerReferences?.some(
    ({ kind, name }) =>
      kind === "ReplicaSet" && name === `${deployment.metadata.name}-${metadata.labels?.[TEMPLATE_HASH]}`,
  ) === true;

/** One that failed for good is replaced, and one that is told to go is gone for users. */
export const isStaying = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded";

const conditionOf = ({ status }: Pod, type: string): string | undefined =>
  status?.conditions?.find((condition) => condition.type === type)?.status;

const digestOf = (pod: Pod, { container, configured }: Inside): string =>
  releaseDigest(imageDigestOf(pod, container), pod.spec, configured) ?? "?";

const imageDigestOf = (pod: Pod, container: string): string | undefined =>
  digestIn(containerIn(pod.spec, container)?.image) ??
  digestIn(pod.status?.containerStatuses?.find(({ name }) => name === container)?.imageID);

export function stateOf(sight: Pick<Sight, "pods" | "dark">, frame: Frame): WorkloadState {
  return { region: frame.region, instances: [...admitted(sight, frame), ...inTheDark(sight, frame)] };
}

/**
 * Pods have no places: the oldest is the first of its release. One that is ready, and whose endpoint is not yet or no longer, answers no user: it is
 * not ready either. Endpoints follow their pods a moment later, so that a pod that was slow once is no change of somebody else.
 */
function admitted({ pods }: Pick<Sight, "pods">, frame: Frame): readonly Instance[] {
  const ranks = new Map<string, number>();
  return byAge(pods).map((seen) => {
    const ordinal = (ranks.get(seen.digest) ?? 0) + 1;
    ranks.set(seen.digest, ordinal);
    return { ...instanceOf(seen, ordinal, frame), ready: seen.isReady && seen.weightPct === 100 };
  });
}

/** No place is taken twice, also while one that did not get ready waits where another one was admitted. */
function inTheDark({ pods, dark }: Pick<Sight, "pods" | "dark">, frame: Frame): readonly Instance[] {
  const last = new Map<string, number>();
  for (const { digest } of pods) last.set(digest, (last.get(digest) ?? 0) + 1);
  return dark
    .toSorted((a, b) => ordinalOf(a) - ordinalOf(b))
    .map((seen) => {
      const ordinal = Math.max(ordinalOf(seen), (last.get(seen.digest) ?? 0) + 1);
      last.set(seen.digest, ordinal);
      return instanceOf({ ...seen, weightPct: 0 }, ordinal, frame);
    });
}

export const ordinalOf = ({ pod }: SeenPod): number => Number(pod.metadata.labels?.[ORDINAL] ?? 0);

const byAge = (pods: readonly SeenPod[]): readonly SeenPod[] =>
  pods.toSorted((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1));

const ageKey = ({ pod: { metadata } }: SeenPod): string => `${metadata.creationTimestamp ?? ""} ${metadata.name}`;

const instanceOf = (seen: SeenPod, ordinal: number, { names, port }: Frame): Instance => {
  const ip = seen.pod.status?.podIP;
  return {
    id: seen.pod.metadata.name,
    release: names.get(seen.digest) ?? "?",
    digest: seen.digest,
    ordinal,
    ready: seen.isReady,
    weightPct: seen.weightPct,
    ...(ip === undefined ? {} : { address: `${ip.includes(":") ? `[${ip}]` : ip}:${port}` }),
  };
};
