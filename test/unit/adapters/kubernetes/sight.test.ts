import { describe, expect, test } from "vitest";
import { darkPod } from "../../../../src/adapters/kubernetes/dark-pod.ts";
import { handedOver } from "../../../../src/adapters/kubernetes/handover.ts";
import { HELD, type Held } from "../../../../src/adapters/kubernetes/hold.ts";
import type { Deployment, EndpointSlice, Metadata, Pod } from "../../../../src/adapters/kubernetes/api/objects.ts";
import { sightOf, stateOf, type Frame } from "../../../../src/adapters/kubernetes/sight.ts";

const OLD = `sha256:${"1".repeat(64)}`;
const NEW = `sha256:${"2".repeat(64)}`;
const FRAME: Frame = {
  component: "gateway",
  region: "tokyo",
  object: "gateway",
  container: "app",
  port: 8080,
  names: new Map([
    [OLD, "gateway@1.0"],
    [NEW, "gateway@2.0"],
  ]),
};
const metadata = (name: string, more: Partial<Metadata> = {}): Metadata => ({
  name,
  uid: name,
  resourceVersion: "1",
  ...more,
});
const DEPLOYMENT: Deployment = {
  metadata: metadata("gateway"),
  spec: { selector: { matchLabels: { app: "gateway" } }, template: { spec: { containers: [{ name: "app" }] } } },
};

type Told = { readonly image?: string; readonly isReady?: boolean; readonly ip?: string; readonly imageID?: string };
const podOf = (name: string, told: Told = {}, more: Partial<Metadata> = {}): Pod => ({
  metadata: metadata(name, {
    labels: { app: "gateway", "pod-template-hash": "abc" },
    ownerReferences: [{ kind: "ReplicaSet", name: "gateway-abc", uid: "rs" }],
    ...more,
  }),
  spec: {
    containers: [
      { name: "sidecar", image: "mesh:1" },
      { name: "app", image: told.image ?? `registry/gateway@${OLD}` },
    ],
  },
  status: {
    phase: "Running",
    podIP: told.ip ?? "10.0.0.1",
    conditions: [{ type: "Ready", status: told.isReady === false ? "False" : "True" }],
    ...(told.imageID === undefined ? {} : { containerStatuses: [{ name: "app", imageID: told.imageID }] }),
  },
});
const darkOf = (ordinal: number, digest = NEW): Pod => ({
  ...podOf(`gateway-dark-222222-${ordinal}`, { image: `registry/gateway@${digest}` }),
  metadata: metadata(`gateway-dark-222222-${ordinal}`, { labels: { "midflight.dev/ordinal": String(ordinal) } }),
});
const sliceOf = (
  ...endpoints: readonly { readonly pod: string; readonly ready?: boolean; readonly terminating?: boolean }[]
): EndpointSlice => ({
  metadata: metadata("gateway-1"),
  endpoints: endpoints.map(({ pod, ...conditions }) => ({ conditions, targetRef: { kind: "Pod", name: pod } })),
});
const seen = (pods: readonly Pod[], dark: readonly Pod[], ...slices: readonly EndpointSlice[]) =>
  stateOf(sightOf({ object: DEPLOYMENT, pods, dark, slices }, FRAME), FRAME).instances;

test("a pod of the Deployment that its Service lists is an instance in traffic, to be probed at its own address", () => {
  expect(seen([podOf("gateway-abc-1")], [], sliceOf({ pod: "gateway-abc-1", ready: true }))).toEqual([
    {
      id: "gateway-abc-1",
      release: "gateway@1.0",
      digest: OLD,
      ordinal: 1,
      ready: true,
      weightPct: 100,
      address: "10.0.0.1:8080",
    },
  ]);
});

test.each<{ name: string; pod: Pod; slice: EndpointSlice; ready: boolean; weightPct: number }>([
  {
    name: "one that is ready and that no endpoint knows yet answers nobody: that is no weight that somebody else set",
    pod: podOf("a"),
    slice: sliceOf(),
    ready: false,
    weightPct: 0,
  },
  {
    name: "one that is ready again before its endpoint is answers nobody yet",
    pod: podOf("a"),
    slice: sliceOf({ pod: "a", ready: false }),
    ready: false,
    weightPct: 0,
  },
  {
    name: "one that stopped answering keeps its place in the Service",
    pod: podOf("a", { isReady: false }),
    slice: sliceOf({ pod: "a", ready: false }),
    ready: false,
    weightPct: 100,
  },
  {
    name: "an endpoint on its way out is none",
    pod: podOf("a"),
    slice: sliceOf({ pod: "a", ready: true, terminating: true }),
    ready: false,
    weightPct: 0,
  },
])("$name", ({ pod, slice, ready, weightPct }) => {
  expect(seen([pod], [], slice)).toMatchObject([{ ready, weightPct }]);
});

test("pods that were told to go, that failed for good, or that are another Deployment's with the same labels are not counted", () => {
  const pods = [
    podOf("gateway-abc-1"),
    podOf("gateway-abc-2", {}, { deletionTimestamp: "2026-11-21T10:00:00Z" }),
    { ...podOf("gateway-abc-3"), status: { phase: "Failed" } },
    podOf("other-abc-1", {}, { ownerReferences: [{ kind: "ReplicaSet", name: "other-abc", uid: "x" }] }),
    podOf("by-hand", {}, { ownerReferences: [] }),
  ];
  expect(seen(pods, []).map(({ id }) => id)).toEqual(["gateway-abc-1"]);
});

test("where the image's name is a tag, the node tells which digest runs; where nobody tells, nothing is guessed", () => {
  const byNode = podOf("a", { image: "registry/gateway:1.0", imageID: `docker-pullable://registry/gateway@${OLD}` });
  const unknown = podOf("b", { image: "registry/gateway:1.0" });
  expect(seen([byNode, unknown], []).map(({ digest, release }) => `${release} ${digest}`)).toEqual([
    `gateway@1.0 ${OLD}`,
    "? ?",
  ]);
});

test("the oldest pod of a release is its first, and no place is taken twice by one in the dark", () => {
  const fresh = (name: string, creationTimestamp: string): Pod =>
    podOf(name, { image: `registry/gateway@${NEW}` }, { creationTimestamp });
  const pods = [fresh("young", "2026-11-21T10:00:09Z"), fresh("old", "2026-11-21T10:00:01Z")];
  expect(seen(pods, [darkOf(4), darkOf(1)]).map(({ id, ordinal }) => `${id} ${ordinal}`)).toEqual([
    "old 1",
    "young 2",
    "gateway-dark-222222-1 3",
    "gateway-dark-222222-4 4",
  ]);
});

test("an address of IP version 6 stands in brackets", () => {
  expect(seen([podOf("a", { ip: "fd00::7" })], [])[0]?.address).toBe("[fd00::7]:8080");
});

test("a pod in the dark has the template's own spec and annotations, and none of its labels", () => {
  const template = {
    metadata: { labels: { app: "gateway", tier: "edge" }, annotations: { "sidecar/inject": "true" } },
    spec: { containers: [{ name: "app", image: "x" }], terminationGracePeriodSeconds: 7 },
  };
  expect(
    darkPod({ owner: { kind: "Deployment", metadata: DEPLOYMENT.metadata }, template, digest: NEW, ordinal: 3 }),
  ).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "gateway-dark-222222-3",
      labels: { "midflight.dev/dark": "gateway", "midflight.dev/ordinal": "3" },
      annotations: { "sidecar/inject": "true" },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "gateway", uid: "gateway" }],
    },
    spec: template.spec,
  });
});

describe("while a pod in the dark is admitted and the Deployment brings its own", () => {
  const variant = (digest: string) => ({
    digest,
    template: { spec: { containers: [{ name: "app", image: `registry/gateway@${digest}` }] } },
  });
  const held: Held = {
    format: 1,
    rest: { replicas: 1 },
    before: variant(OLD),
    after: variant(NEW),
    ordered: { before: 1, after: 1, template: "after", replicas: 1, maxSurge: 1, maxUnavailable: 0 },
    admitted: ["gateway-dark-222222-1"],
  };
  const deployment = {
    ...DEPLOYMENT,
    metadata: metadata("gateway", { annotations: { [HELD]: JSON.stringify(held) } }),
  };
  const places = (pods: readonly Pod[], dark: readonly Pod[], ...slices: readonly EndpointSlice[]) =>
    stateOf(handedOver(sightOf({ object: deployment, pods, dark, slices }, FRAME)), FRAME).instances.map(
      ({ id, ordinal, weightPct }) => `${id}/${ordinal} ${weightPct}`,
    );
  const image = `registry/gateway@${NEW}`;
  const listed = sliceOf({ pod: "gateway-abc-2", ready: true });

  test.each([
    { name: "before it is there", pods: [], slices: [], shown: ["gateway-dark-222222-1/1 0"] },
    {
      name: "before it is ready",
      pods: [podOf("gateway-abc-2", { image, isReady: false })],
      slices: [],
      shown: ["gateway-dark-222222-1/1 0"],
    },
    {
      name: "before the Service leads to it",
      pods: [podOf("gateway-abc-2", { image })],
      slices: [],
      shown: ["gateway-dark-222222-1/1 0"],
    },
    {
      name: "once it serves",
      pods: [podOf("gateway-abc-2", { image })],
      slices: [listed],
      shown: ["gateway-abc-2/1 100"],
    },
  ])("their place is counted once: $name", ({ pods, slices, shown }) => {
    expect(places(pods, [darkOf(1)], ...slices)).toEqual(shown);
  });

  test("another one in the dark, whose turn has not come, is counted beside it", () => {
    expect(places([podOf("gateway-abc-2", { image })], [darkOf(1), darkOf(2)], listed)).toEqual([
      "gateway-abc-2/1 100",
      "gateway-dark-222222-2/2 0",
    ]);
  });
});
