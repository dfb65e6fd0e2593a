import { describe, expect, test } from "vitest";
import type {
  Autoscaler,
  Container,
  DisruptionBudget,
  Metadata,
} from "../../../../../src/adapters/kubernetes/api/objects.ts";
import { risksIn } from "../../../../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import type { Intent, Scene } from "../../../../../src/adapters/kubernetes/beside/preflight/scene.ts";

type Changes = {
  readonly container?: Partial<Container>;
  readonly graceS?: number;
  readonly replicas?: number;
  readonly minReadySeconds?: number;
  readonly metadata?: Partial<Metadata>;
  readonly autoscalers?: readonly Autoscaler[];
  readonly budgets?: readonly DisruptionBudget[];
  readonly intent?: Partial<Intent>;
};

const meta = (name: string, more: Partial<Metadata> = {}): Metadata => ({
  name,
  uid: "u",
  resourceVersion: "7",
  ...more,
});

/** A Deployment with which nothing is wrong, with changes in it. */
const sceneOf = (changes: Changes = {}): Scene => ({
  object: { kind: "Deployment", name: "gateway" },
  metadata: meta("gateway", changes.metadata),
  fields: {
    replicas: changes.replicas ?? 4,
    ...(changes.minReadySeconds === undefined ? {} : { minReadySeconds: changes.minReadySeconds }),
    template: {
      metadata: { labels: { app: "gateway", tier: "edge" } },
      spec: {
        terminationGracePeriodSeconds: changes.graceS ?? 30,
        containers: [
          {
            name: "gateway",
            readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1, failureThreshold: 2 },
            lifecycle: { preStop: { sleep: { seconds: 5 } } },
            ...changes.container,
          },
          { name: "sidecar" },
        ],
      },
    },
  },
  container: "gateway",
  autoscalers: changes.autoscalers ?? [],
  budgets: changes.budgets ?? [],
  intent: { drain: { noticeMs: 3_000, deadlineMs: 10_000 }, soakMs: 20_000, isPausing: false, ...changes.intent },
});

const without = (name: "readinessProbe" | "lifecycle", changes: Changes = {}): Scene => {
  const scene = sceneOf(changes);
  const containers = scene.fields.template.spec.containers.map((one): Container => {
    const { [name]: _, ...rest } = one;
    return rest;
  });
  const { template } = scene.fields;
  return { ...scene, fields: { ...scene.fields, template: { ...template, spec: { ...template.spec, containers } } } };
};

const autoscaler = (minReplicas: number, maxReplicas: number, target = "gateway"): Autoscaler => ({
  metadata: meta("by-load"),
  spec: { scaleTargetRef: { kind: "Deployment", name: target }, minReplicas, maxReplicas },
});
const budget = (spec: Partial<DisruptionBudget["spec"]>): DisruptionBudget => ({
  metadata: meta("keep"),
  spec: { selector: { matchLabels: { app: "gateway" } }, ...spec },
});

test("a Deployment that drains, is probed often and is nobody else's is no risk", () => {
  expect(risksIn(sceneOf())).toEqual([]);
});

describe("whoever upgrades is told beforehand", () => {
  test.each<{ name: string; scene: Scene; says: RegExp }>([
    {
      name: "that a pod without a readiness probe gets users as soon as it runs",
      scene: without("readinessProbe"),
      says: /container gateway has no readiness probe/,
    },
    {
      name: "that a probe notices later than the pod is killed",
      scene: sceneOf({ container: { readinessProbe: { periodSeconds: 20, failureThreshold: 2 } } }),
      says: /keeps its users for 40 s \(readiness period 20 s, 2 failures\), longer than its termination grace of 30 s/,
    },
    {
      name: "that a probe which states nothing takes half a minute",
      scene: sceneOf({ graceS: 20, container: { readinessProbe: { tcpSocket: { port: 8080 } } } }),
      says: /keeps its users for 30 s/,
    },
    {
      name: "that pods are killed at once",
      scene: sceneOf({ graceS: 0 }),
      says: /killed the moment they are told to go/,
    },
    {
      name: "that nothing delays the end of a pod",
      scene: without("lifecycle"),
      says: /no preStop hook: unless the program itself goes on answering/,
    },
    {
      name: "that the hook uses up the grace",
      scene: sceneOf({ container: { lifecycle: { preStop: { sleep: { seconds: 30 } } } } }),
      says: /preStop hook sleeps for 30 s, and the termination grace is 30 s/,
    },
    {
      name: "that the plan drains for longer than pods live",
      scene: sceneOf({ graceS: 12 }),
      says: /killed 12 s after they are told to go, and the plan means them to drain for up to 13 s: make terminationGracePeriodSeconds 13/,
    },
    {
      name: "that minReadySeconds is not waited for",
      scene: sceneOf({ minReadySeconds: 60 }),
      says: /minReadySeconds of 60 is not waited for.*let each wave soak for 60s/,
    },
    // kubernetes#89820: what replaces pods of a Deployment or a StatefulSet asks no budget, so it is said before.
    {
      name: "that a budget in numbers lets nobody go",
      scene: sceneOf({ budgets: [budget({ minAvailable: 4 })] }),
      says: /PodDisruptionBudget keep lets none of its 4 pods go \(minAvailable 4\)/,
    },
    {
      name: "that a budget in shares lets nobody go",
      scene: sceneOf({ budgets: [budget({ minAvailable: "80%" })] }),
      says: /\(minAvailable 80%\)/,
    },
    {
      name: "that a budget which allows none lets nobody go",
      scene: sceneOf({ budgets: [budget({ maxUnavailable: 0 })] }),
      says: /\(maxUnavailable 0\)/,
    },
    {
      name: "that a budget for the whole namespace is one for it too",
      scene: sceneOf({ budgets: [budget({ selector: {}, maxUnavailable: 0 })] }),
      says: /PodDisruptionBudget keep/,
    },
    {
      name: "that an autoscaler owns the number of pods",
      scene: sceneOf({ autoscalers: [autoscaler(2, 10)] }),
      says: /HorizontalPodAutoscaler by-load owns the number of its pods.*set its minReplicas and maxReplicas/,
    },
    {
      name: "that somebody else manages it, and how he is told to wait",
      scene: sceneOf({ metadata: { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } } }),
      says: /the Flux kustomization apps would put back what midflight holds: flux suspend kustomization apps/,
    },
    {
      name: "that whoever waits for the run goes on when it has ended",
      scene: sceneOf({
        metadata: { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } },
        intent: { isPausing: true },
      }),
      says: /the Flux kustomization apps waits while the run lasts, and goes on when it has ended/,
    },
    {
      name: "that Helm cannot be told to wait, because nobody but a person runs it",
      scene: sceneOf({
        metadata: { annotations: { "meta.helm.sh/release-name": "venue" } },
        intent: { isPausing: true },
      }),
      says: /let nobody run helm upgrade venue meanwhile/,
    },
    {
      name: "that a run which died may have left it held",
      scene: sceneOf({
        metadata: {
          annotations: { "midflight.dev/held": JSON.stringify({ format: 1, rest: { replicas: 4 }, before: {} }) },
        },
      }),
      says: /it is held, by a run that is under way or by one that died.*midflight release-hold/,
    },
  ])("$name", ({ scene, says }) => {
    const risks = risksIn(scene);
    expect(risks).toHaveLength(1);
    expect(risks[0]).toMatch(says);
  });
});

test.each<{ name: string; scene: Scene }>([
  {
    name: "a budget of other pods",
    scene: sceneOf({ budgets: [budget({ selector: { matchLabels: { app: "other" } }, maxUnavailable: 0 })] }),
  },
  {
    name: "a budget that excludes these pods by an expression",
    scene: sceneOf({
      budgets: [
        budget({
          selector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["edge"] }] },
          maxUnavailable: 0,
        }),
      ],
    }),
  },
  { name: "a budget that spares one", scene: sceneOf({ budgets: [budget({ minAvailable: 3 })] }) },
  { name: "an autoscaler that stands still at their number", scene: sceneOf({ autoscalers: [autoscaler(4, 4)] }) },
  { name: "an autoscaler of another Deployment", scene: sceneOf({ autoscalers: [autoscaler(2, 10, "other")] }) },
  { name: "minReadySeconds within the soak", scene: sceneOf({ minReadySeconds: 20 }) },
])("$name is no risk", ({ scene }) => {
  expect(risksIn(scene)).toEqual([]);
});

test("a plan that does not roll it says nothing of drains and soaks", () => {
  const { intent: _, ...scene } = sceneOf({
    graceS: 5,
    minReadySeconds: 60,
    container: { lifecycle: { preStop: { exec: {} } } },
  });
  expect(risksIn({ ...scene, intent: { isPausing: false } })).toEqual([]);
});
