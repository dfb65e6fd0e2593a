import { expect, test } from "vitest";
import { keptOfPod, keptOfSlice } from "../../../../src/adapters/kubernetes/api/kept.ts";
import { referencesIn } from "../../../../src/adapters/kubernetes/config.ts";
import { troubleOf } from "../../../../src/adapters/kubernetes/explain.ts";

const metadata = { name: "gateway-1", uid: "u", resourceVersion: "7" };
const owner = { metadata: { ...metadata, name: "gateway" } };
const pod = {
  metadata: {
    ...metadata,
    labels: { app: "gateway" },
    annotations: { long: "x".repeat(1_000) },
    managedFields: [{ manager: "kubelet" }],
    ownerReferences: [{ kind: "ReplicaSet", name: "gateway-abc", uid: "r", controller: true }],
  },
  spec: {
    nodeName: "node-1",
    volumes: [{ name: "limits", configMap: { name: "limits-3fa9c1d2e4" } }],
    containers: [{ name: "gateway", image: "registry/gateway:1", env: [{ name: "KEY", value: "secret" }] }],
  },
  status: {
    phase: "Running",
    podIP: "10.0.0.1",
    qosClass: "BestEffort",
    conditions: [{ type: "Ready", status: "False", lastTransitionTime: "now" }],
    containerStatuses: [
      {
        name: "gateway",
        restartCount: 3,
        imageID: "registry/gateway@sha256:1",
        state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
        lastState: { terminated: { reason: "Error", exitCode: 3, containerID: "c" } },
        volumeMounts: [],
      },
    ],
  },
};

test("of a pod is remembered what tells who it is and what is in its way, and nothing that may be secret", () => {
  const kept = keptOfPod(false)(pod);
  expect(kept).toEqual({
    metadata: {
      ...metadata,
      labels: { app: "gateway" },
      ownerReferences: [{ kind: "ReplicaSet", name: "gateway-abc", uid: "r" }],
    },
    spec: { nodeName: "node-1", containers: [{ name: "gateway", image: "registry/gateway:1" }] },
    status: {
      phase: "Running",
      podIP: "10.0.0.1",
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [
        {
          name: "gateway",
          restartCount: 3,
          imageID: "registry/gateway@sha256:1",
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
          lastState: { terminated: { reason: "Error", exitCode: 3 } },
        },
      ],
    },
  });
  expect(troubleOf([kept], owner)).toEqual(troubleOf([pod], owner));
});

test("where releases are told by the config that pods read, what they read is remembered", () => {
  expect(referencesIn(keptOfPod(true)(pod).spec)).toEqual([{ resource: "configmaps", name: "limits-3fa9c1d2e4" }]);
});

test("of endpoints is remembered whose they are, and whether they serve", () => {
  const conditions = { ready: true, terminating: false };
  const targetRef = { kind: "Pod", name: "gateway-1" };
  const endpoint = { addresses: ["10.0.0.1"], conditions: { ...conditions, serving: true }, nodeName: "n", targetRef };
  expect(keptOfSlice({ metadata: { ...metadata, labels: {} }, endpoints: [endpoint] })).toEqual({
    metadata,
    endpoints: [{ conditions, targetRef }],
  });
});
