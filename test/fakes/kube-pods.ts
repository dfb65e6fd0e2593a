import type { ContainerStatus, Labels, Pod } from "../../src/adapters/kubernetes/api/objects.ts";
import type { KubeApi } from "./kube-api.ts";

/** The kubelets and the endpoints of a pretended cluster: pods that are only said to run, and Services that list whom they select. */
export type KubePods = {
  /** What they do after a change in a namespace. */
  turn(namespace: string): void;
  isReady(pod: Pod): boolean;
  /** Pods of this image never get ready; with the reason, if there is one, for which their container waits. */
  spoil(image: string, why?: Waiting): void;
  /** Endpoints stay as they are, whatever becomes of pods, until it is said that they follow again. */
  holdEndpoints(isHeld: boolean): void;
  /** Does not answer any more, until it is revived. */
  kill(namespace: string, pod: string): void;
  revive(namespace: string, pod: string): void;
  /** The fewest pods that were ready at once since the last call, of all templates. */
  leastReady(namespace: string): number;
};

/** As the kubelet says it of a container that does not run. */
type Waiting = { readonly reason: string; readonly message?: string; readonly restarts?: number };

const READY_AFTER_MS = 15;

export function kubePods(api: KubeApi): KubePods {
  const spoilt = new Map<string, Waiting | undefined>();
  let areEndpointsHeld = false;
  const dead = new Set<string>();
  const mended = new Set<string>();
  const least = new Map<string, number>();
  let addresses = 0;

  const isReady = ({ status }: Pod): boolean =>
    status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
  const imageOf = (pod: Pod): string => pod.spec.containers[0]?.image ?? "";
  const isSpoilt = (pod: Pod): boolean => spoilt.has(imageOf(pod));
  const run = (namespace: string, pod: Pod): void => {
    if (pod.status !== undefined) return;
    addresses += 1;
    const said = { ...pod, status: { phase: "Running", podIP: `10.0.0.${addresses}`, conditions: [] } };
    api.put("pods", namespace, said);
    setTimeout(() => answer(namespace, pod.metadata.name, !isSpoilt(pod)), READY_AFTER_MS).unref();
  };
  const answer = (namespace: string, name: string, ready: boolean): void => {
    const pod = api.get("pods", namespace, name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    const status = {
      ...pod.status,
      conditions: [{ type: "Ready", status: (ready || mended.has(name)) && !dead.has(name) ? "True" : "False" }],
      containerStatuses: [{ name: "gateway", ...waitOf(pod) }],
    };
    api.put("pods", namespace, { ...pod, status });
  };
  const waitOf = (pod: Pod): Pick<ContainerStatus, "state" | "restartCount"> => {
    const why = spoilt.get(imageOf(pod));
    if (why === undefined) return { state: {} };
    const { restarts = 0, ...waiting } = why;
    return { state: { waiting }, restartCount: restarts };
  };
  const route = (namespace: string): void => {
    if (areEndpointsHeld) return;
    const services = api.list("services", namespace);
    // One that nobody made lists the pods of a Deployment `gateway`.
    if (!services.some(({ metadata }) => metadata.name === "gateway")) list(namespace, "gateway", { app: "gateway" });
    for (const { metadata, spec } of services) list(namespace, metadata.name, spec?.selector ?? { app: "gateway" });
  };
  const list = (namespace: string, service: string, labels: Labels): void => {
    const selector = Object.entries(labels);
    const selected = api
      .list("pods", namespace)
      .filter(({ metadata }) => selector.every(([label, value]) => metadata.labels?.[label] === value));
    const endpoints = selected.map((pod) => ({
      conditions: { ready: isReady(pod), terminating: pod.metadata.deletionTimestamp !== undefined },
      targetRef: { kind: "Pod", name: pod.metadata.name },
    }));
    const before = api.get("endpointslices", namespace, `${service}-1`);
    if (JSON.stringify(before?.endpoints) === JSON.stringify(endpoints)) return;
    api.put("endpointslices", namespace, {
      metadata: { name: `${service}-1`, labels: { "kubernetes.io/service-name": service } },
      endpoints,
    });
  };

  return {
    turn(namespace) {
      for (const pod of api.list("pods", namespace)) run(namespace, pod);
      route(namespace);
      const ready = api
        .list("pods", namespace)
        .filter(
          (pod) =>
            isReady(pod) && pod.metadata.deletionTimestamp === undefined && pod.metadata.labels?.["app"] === "gateway",
        );
      least.set(namespace, Math.min(least.get(namespace) ?? Infinity, ready.length));
    },
    isReady,
    spoil: (image, why) => void spoilt.set(image, why),
    holdEndpoints: (isHeld) => void (areEndpointsHeld = isHeld),
    kill(namespace, pod) {
      dead.add(pod);
      answer(namespace, pod, false);
    },
    revive(namespace, pod) {
      dead.delete(pod);
      mended.add(pod);
      answer(namespace, pod, true);
    },
    leastReady(namespace) {
      const known = least.get(namespace) ?? 0;
      least.delete(namespace);
      return known;
    },
  };
}
