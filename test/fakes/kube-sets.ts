import { createHash } from "node:crypto";
import type { Pod, PodSet } from "../../src/adapters/kubernetes/api/objects.ts";
import { kubeApi, type KubeApi } from "./kube-api.ts";
import { kubePods, type KubePods } from "./kube-pods.ts";

/** An API server with the controllers that a StatefulSet and a DaemonSet live by, as Kubernetes describes them, and pods that are only said to run. */
export type KubeSets = KubeApi &
  Pick<KubePods, "spoil" | "kill" | "revive" | "leastReady"> & {
    /** A StatefulSet `gateway` with its Service, in a namespace of its own. */
    deployStateful(namespace: string, image: string, replicas: number, spec?: Partial<PodSet["spec"]>): void;
    /** A DaemonSet `gateway` with its Service, on nodes called `node-1` and so on. */
    deployDaemon(namespace: string, image: string, nodes: number): void;
  };

const HASH = "controller-revision-hash";
type Kind = "statefulsets" | "daemonsets";
const NAMES = { statefulsets: "StatefulSet", daemonsets: "DaemonSet" } as const;

export async function kubeSets(): Promise<KubeSets> {
  const api = await kubeApi();
  const kubelets = kubePods(api);
  const namespaces = new Set<string>();
  /** Namespace → revision that pods below the partition are made from. */
  const currents = new Map<string, string>();
  const nodes = new Map<string, readonly string[]>();
  let revisions = 0;

  const podsOf = (namespace: string, set: PodSet): readonly Pod[] =>
    api
      .list("pods", namespace)
      .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid) === true)
      // A pod in the dark is owned too, and none of the controller's.
      .filter(({ metadata }) => metadata.labels?.[HASH] !== undefined);
  const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[HASH] ?? "";

  /** Writes down the present template, or brings it to the front again. Answers with its name. */
  const remember = (namespace: string, set: PodSet): string => {
    const { template, selector } = set.spec;
    const name = `gateway-${createHash("sha256").update(text(template)).digest("hex").slice(0, 10)}`;
    const known = api.list("controllerrevisions", namespace);
    const newest = known.toSorted((a, b) => b.revision - a.revision)[0];
    if (newest?.metadata.name === name) return name;
    revisions += 1;
    api.put("controllerrevisions", namespace, {
      metadata: {
        name,
        labels: selector.matchLabels ?? {},
        ownerReferences: [{ kind: "set", name: "gateway", uid: set.metadata.uid }],
      },
      revision: revisions,
      data: { spec: { template: { ...template, $patch: "replace" } } },
    });
    return name;
  };
  const templateOf = (namespace: string, revision: string): PodSet["spec"]["template"] => {
    const template = api.get("controllerrevisions", namespace, revision)?.data?.spec?.template;
    if (template === undefined) throw new Error(`no revision ${revision}`);
    const { $patch: _, ...exact } = template;
    return exact;
  };
  const make = (
    kind: Kind,
    namespace: string,
    pod: { name: string; revision: string; node?: string },
    uid: string,
  ): void => {
    const { metadata, spec } = templateOf(namespace, pod.revision);
    api.put("pods", namespace, {
      metadata: {
        name: pod.name,
        labels: { ...metadata?.labels, [HASH]: pod.revision },
        ownerReferences: [{ kind: NAMES[kind], name: "gateway", uid }],
      },
      spec: { ...spec, ...(pod.node === undefined ? {} : { nodeName: pod.node }) },
    });
  };
  const report = (kind: Kind, namespace: string, set: PodSet, counts: PodSet["status"]): void => {
    const status = { observedGeneration: set.metadata.generation ?? 0, ...counts };
    if (text(status) !== text(set.status)) api.put(kind, namespace, { ...set, status });
  };

  /** The pods of a StatefulSet come in order, each once the one before it is ready; replaced are those from the partition on, the highest first. */
  const stateful = (namespace: string, set: PodSet): void => {
    const { replicas = 1, updateStrategy } = set.spec;
    const update = remember(namespace, set);
    const isRolling = updateStrategy?.type !== "OnDelete";
    const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
    const own = podsOf(namespace, set);
    const isUpdated =
      own.length === replicas && own.every((pod) => revisionOf(pod) === update && kubelets.isReady(pod));
    if (!currents.has(namespace) || (isRolling && isUpdated)) currents.set(namespace, update);
    const current = currents.get(namespace) ?? update;
    report("statefulsets", namespace, set, {
      replicas: own.length,
      updatedReplicas: own.filter((pod) => revisionOf(pod) === update).length,
      currentRevision: current,
      updateRevision: update,
    });
    for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
      const name = `gateway-${ordinal}`;
      const pod = own.find(({ metadata }) => metadata.name === name);
      const revision = isRolling && ordinal < partition ? current : update;
      if (pod === undefined) return make("statefulsets", namespace, { name, revision }, set.metadata.uid);
      // As in kubernetes#67250: nothing is done about one that never gets ready.
      if (pod.metadata.deletionTimestamp !== undefined || !kubelets.isReady(pod)) return;
    }
    if (!isRolling) return;
    for (let ordinal = replicas - 1; ordinal >= partition; ordinal -= 1) {
      const pod = own.find(({ metadata }) => metadata.name === `gateway-${ordinal}`);
      if (pod !== undefined && revisionOf(pod) !== update) return api.remove("pods", namespace, pod.metadata.name);
    }
  };
  /** One pod a node. Nothing is replaced on request alone; otherwise one after the other. */
  const daemon = (namespace: string, set: PodSet): void => {
    const update = remember(namespace, set);
    const places = nodes.get(namespace) ?? [];
    const own = podsOf(namespace, set);
    report("daemonsets", namespace, set, {
      desiredNumberScheduled: places.length,
      currentNumberScheduled: own.length,
      updatedNumberScheduled: own.filter((pod) => revisionOf(pod) === update).length,
    });
    for (const node of places) {
      if (own.some(({ spec }) => spec.nodeName === node)) continue;
      revisions += 1;
      return make("daemonsets", namespace, { name: `gateway-${revisions}`, revision: update, node }, set.metadata.uid);
    }
    if (set.spec.updateStrategy?.type === "OnDelete" || !own.every((pod) => kubelets.isReady(pod))) return;
    const old = own.find((pod) => revisionOf(pod) !== update);
    if (old !== undefined) api.remove("pods", namespace, old.metadata.name);
  };
  api.onChange(() => {
    for (const namespace of namespaces) {
      for (const set of api.list("statefulsets", namespace)) stateful(namespace, set);
      for (const set of api.list("daemonsets", namespace)) daemon(namespace, set);
      kubelets.turn(namespace);
    }
  });

  return {
    ...api,
    ...kubelets,
    deployStateful(namespace, image, replicas, spec = {}) {
      namespaces.add(namespace);
      api.put("statefulsets", namespace, {
        metadata: { name: "gateway" },
        spec: {
          replicas,
          selector: { matchLabels: { app: "gateway" } },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
          template: templateWith(image),
          ...spec,
        },
      });
    },
    deployDaemon(namespace, image, count) {
      namespaces.add(namespace);
      nodes.set(
        namespace,
        Array.from({ length: count }, (_, index) => `node-${index + 1}`),
      );
      api.put("daemonsets", namespace, {
        metadata: { name: "gateway" },
        spec: {
          selector: { matchLabels: { app: "gateway" } },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
          template: templateWith(image),
        },
      });
    },
  };
}

export const templateWith = (image: string): PodSet["spec"]["template"] => ({
  metadata: { labels: { app: "gateway" } },
  spec: { containers: [{ name: "gateway", image }] },
});

const text = (value: unknown): string => JSON.stringify(value ?? null);
