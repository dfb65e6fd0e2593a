import type { EndpointSlice, Pod } from "./objects.ts";

/** Keys that are kept, and those below them. `true`: all of it. */
type Keys = true | { readonly [key: string]: Keys };

const METADATA = {
  name: true,
  namespace: true,
  uid: true,
  resourceVersion: true,
  creationTimestamp: true,
  deletionTimestamp: true,
  labels: true,
  ownerReferences: { kind: true, name: true, uid: true },
} as const satisfies Keys;

const CONDITION = { type: true, status: true, reason: true, message: true } as const satisfies Keys;

const ENDED = { terminated: { reason: true, exitCode: true } } as const satisfies Keys;

const CONTAINER = {
  name: true,
  imageID: true,
  restartCount: true,
  state: { waiting: { reason: true, message: true }, ...ENDED },
  lastState: ENDED,
} as const satisfies Keys;

const STATUS = {
  phase: true,
  podIP: true,
  reason: true,
  message: true,
  conditions: CONDITION,
  containerStatuses: CONTAINER,
  initContainerStatuses: CONTAINER,
} as const satisfies Keys;

const POD: Keys = {
  metadata: METADATA,
  spec: { nodeName: true, containers: { name: true, image: true } },
  status: STATUS,
};

/** The config that a pod reads tells its release: it stands anywhere in its spec. */
const CONFIGURED_POD: Keys = { ...POD, spec: true };

const SLICE: Keys = {
  metadata: { name: true, uid: true, resourceVersion: true },
  endpoints: { conditions: { ready: true, terminating: true }, targetRef: { kind: true, name: true } },
};

/** Watches remember every pod of a component, of 5 to 20 kB as it comes: of each no more is kept than is looked at. */
export const keptOfPod =
  (isConfigured: boolean) =>
  (pod: Pod): Pod =>
    kept(pod, isConfigured ? CONFIGURED_POD : POD) as Pod;

export const keptOfSlice = (slice: EndpointSlice): EndpointSlice => kept(slice, SLICE) as EndpointSlice;

function kept(value: unknown, keys: Keys): unknown {
  if (keys === true || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => kept(item, keys));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
      const below = keys[key];
      return below === undefined ? [] : [[key, kept(item, below)]];
    }),
  );
}
