import { expect, test } from "vitest";
import { troubleOf, warningIn } from "../../../../src/adapters/kubernetes/explain.ts";
import type {
  Condition,
  ContainerStatus,
  Deployment,
  Event,
  Pod,
} from "../../../../src/adapters/kubernetes/api/objects.ts";

const metadata = (name: string) => ({ name, uid: name, resourceVersion: "1" });
const podOf = (status: Pod["status"]): Pod => ({
  metadata: metadata("gateway-1"),
  spec: { containers: [{ name: "gateway" }] },
  ...(status === undefined ? {} : { status }),
});
const waiting = (reason: string, more: Partial<ContainerStatus> = {}, message?: string): Pod =>
  podOf({
    phase: "Pending",
    containerStatuses: [
      { name: "gateway", ...more, state: { waiting: { reason, ...(message === undefined ? {} : { message }) } } },
    ],
  });
const deploymentOf = (conditions: readonly Condition[] = []): Deployment => ({
  metadata: metadata("gateway"),
  spec: { selector: {}, template: { spec: { containers: [] } } },
  status: { conditions },
});

test.each<{ name: string; pod: Pod; text: string; isHopeless: boolean }>([
  {
    name: "an image that cannot be pulled is given another chance",
    pod: waiting("ErrImagePull", {}, "connection refused"),
    text: "gateway-1: container gateway cannot pull its image: connection refused",
    isHopeless: false,
  },
  {
    name: "an image that was tried again and again is not waited for",
    pod: waiting("ImagePullBackOff"),
    text: "gateway-1: container gateway cannot pull its image, tried again and again",
    isHopeless: true,
  },
  {
    name: "an image that may not be pulled and is not there is not waited for",
    pod: waiting("ErrImageNeverPull"),
    text: "gateway-1: container gateway has an image that is not there (ErrImageNeverPull)",
    isHopeless: true,
  },
  {
    name: "a missing ConfigMap is said",
    pod: waiting("CreateContainerConfigError", {}, 'configmap "venue" not found'),
    text: 'gateway-1: container gateway cannot be started (CreateContainerConfigError): configmap "venue" not found',
    isHopeless: true,
  },
  {
    name: "a program that ends again and again is not waited for, and its status is said",
    pod: waiting("CrashLoopBackOff", {
      restartCount: 3,
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    }),
    text: "gateway-1: container gateway ends again and again, with exit status 137, out of memory after 3 restarts",
    isHopeless: true,
  },
  {
    name: "one crash may be an accident",
    pod: waiting("CrashLoopBackOff", { restartCount: 1, lastState: { terminated: { exitCode: 1 } } }),
    text: "gateway-1: container gateway ends again and again, with exit status 1 after 1 restart",
    isHopeless: false,
  },
  {
    name: "a pod that fits on no node says what it lacks",
    pod: podOf({
      phase: "Pending",
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/1 nodes are available: 1 Insufficient cpu.",
        },
      ],
    }),
    text: "gateway-1: no node takes it: 0/1 nodes are available: 1 Insufficient cpu.",
    isHopeless: false,
  },
  {
    name: "a readiness probe that does not pass is said",
    pod: podOf({ phase: "Running", containerStatuses: [{ name: "gateway", state: {} }], conditions: [] }),
    text: "gateway-1: it runs, and its readiness probe does not pass",
    isHopeless: false,
  },
])("$name", ({ pod, text, isHopeless }) => {
  expect(troubleOf([pod], deploymentOf())).toEqual({ text, isHopeless });
});

test("a quota that lets no pod be made is not waited for", () => {
  const message =
    'pods "gateway-x" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=10, limited: pods=10';
  const deployment = deploymentOf([{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }]);
  expect(troubleOf([], deployment)).toEqual({
    text: `deployment gateway may not make pods: ${message}`,
    isHopeless: true,
  });
});

test("of several troubles the hopeless one is told", () => {
  expect(troubleOf([waiting("ErrImagePull"), waiting("ErrImageNeverPull")], deploymentOf())?.isHopeless).toBe(true);
});

test("pods that only take their time are in no trouble", () => {
  expect(troubleOf([waiting("ContainerCreating"), podOf(undefined)], deploymentOf())).toBeUndefined();
});

test("the newest warning is told, and news that are none are not", () => {
  const event = (type: string, message: string, lastTimestamp: string): Event => ({
    metadata: metadata(message),
    type,
    reason: "FailedMount",
    message,
    lastTimestamp,
  });
  expect(
    warningIn([
      event("Warning", "first", "2026-11-21T10:00:00Z"),
      event("Warning", "second", "2026-11-21T10:00:05Z"),
      event("Normal", "pulled", "2026-11-21T10:00:09Z"),
    ]),
  ).toBe("FailedMount: second");
  expect(warningIn([])).toBeUndefined();
});
