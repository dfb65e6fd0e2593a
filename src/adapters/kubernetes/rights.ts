import type { Resource, Verb } from "./api-failure.ts";

/** What is asked of an API server, and may be forbidden. `isNamed`: only of the component's own Deployment. */
export type Right = {
  readonly resource: Resource;
  readonly verbs: readonly Verb[];
  readonly isNamed?: true;
};

/** To see what runs. A component that users enter through and that the plan leaves alone is seen, and no more. */
export const LOOKING: readonly Right[] = [
  { resource: "deployments", verbs: ["get"], isNamed: true },
  { resource: "pods", verbs: ["list"] },
  { resource: "endpointslices", verbs: ["list"] },
];

/** To upgrade it, and to take it back. */
export const ROLLING: readonly Right[] = [
  { resource: "deployments", verbs: ["get", "list", "watch", "patch"], isNamed: true },
  { resource: "replicasets", verbs: ["list", "patch"] },
  { resource: "pods", verbs: ["get", "list", "watch", "create", "delete"] },
  { resource: "endpointslices", verbs: ["list", "watch"] },
];

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
