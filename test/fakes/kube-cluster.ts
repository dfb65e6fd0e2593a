import { createHash } from "node:crypto";
import type { Deployment, Pod, Template } from "../../src/adapters/kubernetes/api/objects.ts";
import type { HttpRoute } from "../../src/adapters/kubernetes/route/http-route.ts";
import { kubeApi, type KubeApi, type ScaledSet } from "./kube-api.ts";
import { kubePods, type KubePods } from "./kube-pods.ts";

/** An API server with the controllers that a Deployment lives by, as Kubernetes describes them, and pods that are only said to run. */
export type KubeCluster = KubeApi &
  Pick<KubePods, "spoil" | "kill" | "revive" | "leastReady" | "holdEndpoints"> & {
    /** A Deployment `gateway` with its Service, in a namespace of its own. */
    deploy(namespace: string, image: string, replicas: number, spec?: Partial<Deployment["spec"]>): void;
    /** A second Service `gateway-beside`, and an HTTPRoute `gateway` that sends everybody to the first, with a gateway that reads it. */
    expose(namespace: string): void;
    /** The gateway reads nothing any more, or again. */
    holdGateway(isHeld: boolean): void;
    /** How often pods of two templates were scaled together: then the controller chooses the counts, and not who ordered. */
    readonly spread: () => number;
  };

const DESIRED = "deployment.kubernetes.io/desired-replicas";
const REVISION = "deployment.kubernetes.io/revision";
const HASH = "pod-template-hash";

export async function kubeCluster(): Promise<KubeCluster> {
  const api = await kubeApi();
  const kubelets = kubePods(api);
  const isReady = (pod: Pod): boolean => kubelets.isReady(pod);
  const namespaces = new Set<string>();
  let spread = 0;
  let pods = 0;

  const setsOf = (namespace: string): readonly ScaledSet[] => api.list("replicasets", namespace);
  const podsOf = (namespace: string, set: ScaledSet): readonly Pod[] =>
    api
      .list("pods", namespace)
      .filter(
        ({ metadata }) =>
          metadata.deletionTimestamp === undefined &&
          metadata.ownerReferences?.some(({ name }) => name === set.metadata.name) === true,
      );
  const available = (namespace: string, set: ScaledSet): number =>
    (set.spec.minReadySeconds ?? 0) > 1_000_000 ? 0 : podsOf(namespace, set).filter((pod) => isReady(pod)).length;
  const scale = (namespace: string, set: ScaledSet, replicas: number, desired: number): void =>
    api.put("replicasets", namespace, {
      ...set,
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [DESIRED]: String(desired) } },
      spec: { ...set.spec, replicas },
    });

  /** One turn of the Deployment controller: does one thing and comes back. */
  const roll = (namespace: string, deployment: Deployment): void => {
    const { replicas = 1, template, strategy, minReadySeconds = 0, paused } = deployment.spec;
    if (paused === true) return;
    const sets = setsOf(namespace);
    const own = sets.find(({ spec }) => text(without(spec.template)) === text(template));
    if (own === undefined) return begin(namespace, deployment, template);
    if ((own.spec.minReadySeconds ?? 0) !== minReadySeconds)
      return api.put("replicasets", namespace, { ...own, spec: { ...own.spec, minReadySeconds } });
    const copied = { ...own.metadata.annotations, ...deployment.metadata.annotations };
    if (text(copied) !== text(own.metadata.annotations))
      return api.put("replicasets", namespace, { ...own, metadata: { ...own.metadata, annotations: copied } });
    const active = sets.filter(({ spec }) => spec.replicas > 0);
    const total = active.reduce((sum, { spec }) => sum + spec.replicas, 0);
    const maxSurge = Math.ceil(sized(strategy?.rollingUpdate?.maxSurge ?? 1, replicas));
    const maxUnavailable = Math.floor(sized(strategy?.rollingUpdate?.maxUnavailable ?? 0, replicas));
    const isScaled = active.some(({ metadata }) => metadata.annotations?.[DESIRED] !== String(replicas));
    if (isScaled) return rescale(namespace, active, replicas, replicas + maxSurge - total);
    const others = active.filter((set) => set !== own);
    const room = Math.min(replicas + maxSurge - total, replicas - own.spec.replicas);
    if (room > 0) return scale(namespace, own, own.spec.replicas + room, replicas);
    if (own.spec.replicas > replicas) return scale(namespace, own, replicas, replicas);
    const floor = replicas - maxUnavailable;
    const spare = total - floor - (own.spec.replicas - available(namespace, own));
    for (const set of others) {
      const sick = Math.min(spare, set.spec.replicas - available(namespace, set));
      if (sick > 0) return scale(namespace, set, set.spec.replicas - sick, replicas);
    }
    const surplus = active.reduce((sum, set) => sum + available(namespace, set), 0) - floor;
    const [other] = others;
    if (spare > 0 && surplus > 0 && other !== undefined)
      return scale(namespace, other, Math.max(0, other.spec.replicas - Math.min(surplus, spare)), replicas);
    report(namespace, deployment, own, total);
  };
  const begin = (namespace: string, deployment: Deployment, template: Template): void => {
    const hash = createHash("sha256").update(text(template)).digest("hex").slice(0, 10);
    const labels = { ...template.metadata?.labels, [HASH]: hash };
    const spec = {
      replicas: 0,
      minReadySeconds: deployment.spec.minReadySeconds ?? 0,
      template: { ...template, metadata: { ...template.metadata, labels } },
    };
    api.put("replicasets", namespace, {
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        labels,
        annotations: { [REVISION]: String(setsOf(namespace).length + 1), [DESIRED]: String(deployment.spec.replicas) },
        ownerReferences: [{ kind: "Deployment", name: deployment.metadata.name, uid: deployment.metadata.uid }],
      },
      spec,
    });
  };
  const rescale = (namespace: string, active: readonly ScaledSet[], replicas: number, more: number): void => {
    const [only] = active;
    if (active.length === 1 && only !== undefined) return scale(namespace, only, replicas, replicas);
    if (more !== 0) spread += 1;
    for (const set of active)
      scale(namespace, set, Math.max(0, set.spec.replicas + Math.round(more / active.length)), replicas);
  };
  const report = (namespace: string, deployment: Deployment, own: ScaledSet, total: number): void => {
    const status = {
      observedGeneration: deployment.metadata.generation ?? 0,
      replicas: total,
      updatedReplicas: own.spec.replicas,
    };
    if (text(status) !== text(deployment.status)) api.put("deployments", namespace, { ...deployment, status });
  };

  const fill = (namespace: string, set: ScaledSet): void => {
    const there = podsOf(namespace, set);
    for (let missing = set.spec.replicas - there.length; missing > 0; missing -= 1) {
      pods += 1;
      api.put("pods", namespace, {
        metadata: {
          name: `${set.metadata.name}-${pods.toString(36).padStart(5, "0")}`,
          labels: set.spec.template.metadata?.labels ?? {},
          ownerReferences: [{ kind: "ReplicaSet", name: set.metadata.name, uid: set.metadata.uid }],
        },
        spec: set.spec.template.spec,
      });
    }
    const leaving = there
      .toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)) || (a.metadata.name < b.metadata.name ? 1 : -1))
      .slice(0, Math.max(0, there.length - set.spec.replicas));
    for (const { metadata } of leaving) api.remove("pods", namespace, metadata.name);
  };
  let isGatewayHeld = false;
  /** A gateway says that it has read a route. */
  const read = (namespace: string, route: HttpRoute): void => {
    const observedGeneration = route.metadata.generation ?? 0;
    const conditions = ["Accepted", "ResolvedRefs"].map((type) => ({ type, status: "True", observedGeneration }));
    const status = { parents: [{ parentRef: { name: "edge" }, controllerName: "example.com/gateway", conditions }] };
    if (isGatewayHeld || text(status) === text(route.status)) return;
    api.put("httproutes", namespace, { ...route, status });
  };
  const turn = (): void => {
    for (const namespace of namespaces) {
      for (const deployment of api.list("deployments", namespace)) roll(namespace, deployment);
      for (const set of setsOf(namespace)) fill(namespace, set);
      kubelets.turn(namespace);
      for (const route of api.list("httproutes", namespace)) read(namespace, route);
    }
  };
  api.onChange(turn);

  return {
    ...api,
    ...kubelets,
    deploy(namespace, image, replicas, spec = {}) {
      namespaces.add(namespace);
      api.put("services", namespace, { metadata: { name: "gateway" }, spec: { selector: { app: "gateway" } } });
      api.put("deployments", namespace, {
        metadata: { name: "gateway" },
        spec: {
          replicas,
          selector: { matchLabels: { app: "gateway" } },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
          progressDeadlineSeconds: 600,
          template: {
            metadata: { labels: { app: "gateway" } },
            spec: { containers: [{ name: "gateway", image, env: [{ name: "MODE", value: "live" }] }] },
          },
          ...spec,
        },
      });
    },
    expose(namespace) {
      api.put("services", namespace, { metadata: { name: "gateway-beside" }, spec: { selector: { app: "gateway" } } });
      const backendRefs = [
        { name: "gateway", port: 80, weight: 1 },
        { name: "gateway-beside", port: 80, weight: 0 },
      ];
      api.put("httproutes", namespace, { metadata: { name: "gateway" }, spec: { rules: [{ backendRefs }] } });
    },
    holdGateway(isHeld) {
      isGatewayHeld = isHeld;
      turn();
    },
    spread: () => spread,
  };
}

/** `25%` of the replicas, or a number. */
const sized = (value: number | string, replicas: number): number =>
  typeof value === "number" ? value : (Number.parseFloat(value) / 100) * replicas;

const text = (value: unknown): string => JSON.stringify(value ?? null);

const without = (template: Template): Template => {
  const { [HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
};
