import type { KubernetesKind } from "../../../plan/model.ts";
import { RESOURCES, type Resource, type Subresource, type Verb } from "../api/api-failure.ts";

/** What is asked of an API server, and may be forbidden. */
export type Right = {
  readonly resource: Resource;
  readonly subresource?: Subresource;
  readonly verbs: readonly Verb[];
  /** Only of the component's own objects. */
  readonly isNamed?: true;
};

/** To see what runs. A component that users enter through and that the plan leaves alone is seen, and no more. */
export const looking = (kind: KubernetesKind): readonly Right[] => [
  { resource: RESOURCES[kind], verbs: ["get"], isNamed: true },
  { resource: "pods", verbs: ["list"] },
  { resource: "endpointslices", verbs: ["list"] },
];

/** To upgrade it, and to take it back. */
export const rolling = (kind: KubernetesKind): readonly Right[] => [
  { resource: RESOURCES[kind], verbs: ["get", "list", "watch", "patch"], isNamed: true },
  ...past(kind),
  { resource: "pods", verbs: ["get", "list", "watch", "create", "delete"] },
  ...leaving(kind),
  { resource: "endpointslices", verbs: ["list", "watch"] },
  ...LEASING,
];

/** Old templates, to the last field; marks of ours are taken off ReplicaSets. */
function past(kind: KubernetesKind): readonly Right[] {
  switch (kind) {
    case "Deployment":
      return [{ resource: "replicasets", verbs: ["list", "patch"] }];
    case "StatefulSet":
    case "DaemonSet":
      return [{ resource: "controllerrevisions", verbs: ["list"] }];
  }
}

/** Who empties the place of a pod. */
function leaving(kind: KubernetesKind): readonly Right[] {
  switch (kind) {
    case "Deployment":
    case "StatefulSet":
      return [];
    case "DaemonSet":
      return [{ resource: "pods", subresource: "eviction", verbs: ["create"] }];
  }
}

/** So that one conductor acts on a component at a time: in each region, and where runs are kept. */
export const LEASING: readonly Right[] = [{ resource: "leases", verbs: ["get", "create", "patch"] }];

/** To keep runs. */
export const KEEPING: readonly Right[] = [
  { resource: "configmaps", verbs: ["get", "list", "watch", "create", "patch", "delete"] },
  ...LEASING,
];

/** To make Jobs of steps. */
export const WORKING: readonly Right[] = [
  { resource: "jobs", verbs: ["list", "watch", "create", "delete"] },
  { resource: "pods", verbs: ["list", "watch"] },
  { resource: "pods", subresource: "log", verbs: ["get"] },
];

/** To run a region's probes there, and to find those that a dead run left. */
export const PROBING: readonly Right[] = [
  { resource: "deployments", verbs: ["get", "list", "watch", "create", "patch", "delete"] },
  { resource: "pods", verbs: ["list", "watch", "patch"] },
  { resource: "pods", subresource: "log", verbs: ["get"] },
];

/** To see that the config of a release is there: a name in a template may be of either kind. */
export const CONFIG: readonly Right[] = [
  { resource: "configmaps", verbs: ["get"], isNamed: true },
  { resource: "secrets", verbs: ["get"], isNamed: true },
];

/** To switch users by the selector of a Service, where the environment says so. */
export const SWITCHING: readonly Right[] = [{ resource: "services", verbs: ["get", "patch"], isNamed: true }];

/** To give shares by the weights of an HTTPRoute, where the environment says so. */
export const ROUTING: readonly Right[] = [{ resource: "httproutes", verbs: ["get", "patch"], isNamed: true }];

/** Without these an upgrade goes the same way: it explains and warns less, and nothing stands in `kubectl describe`. */
export const TELLING: readonly Right[] = [
  { resource: "events", verbs: ["list"] },
  { resource: "horizontalpodautoscalers", verbs: ["list"] },
  { resource: "poddisruptionbudgets", verbs: ["list"] },
  { resource: "events.events.k8s.io", verbs: ["create"] },
];

/** In the managers' own namespace: to let them wait while a run lasts. A Flux kustomization needs none of these. */
export const PAUSING: readonly Right[] = [
  { resource: "applications", verbs: ["get", "patch"] },
  { resource: "helmreleases", verbs: ["get", "patch"] },
];
