import { afterEach, describe, expect, test } from "vitest";
import type { Pod } from "../../src/adapters/kubernetes/api/objects.ts";
import { ORDERS, proberName } from "../../src/adapters/kubernetes/prober/deployment.ts";
import { leftProbers } from "../../src/adapters/kubernetes/prober/left-probers.ts";
import { kubernetesProber } from "../../src/adapters/kubernetes/prober/prober.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Prober } from "../../src/ports/prober.ts";
import { kubeApi, type KubeApi } from "../fakes/kube-api.ts";
import { kubeconfigFor } from "../fakes/kube-place.ts";

// What probes in a region are given and how they are heard. What Kubernetes does with it is written by the test.
const { signal } = new AbortController();
const NAMESPACE = "watchers";
const IMAGE = `registry/midflight@sha256:${"1".repeat(64)}`;
const RUN = "order-gateway-2-20261121-051200-3f9a";
const undone: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0).toReversed()) await undo();
});

async function begin() {
  const api = await kubeApi();
  undone.push(() => api.close());
  const kubeconfig = kubeconfigFor({ tokyo: api.url });
  const proberOf = (run: string, brief = "{}"): Prober =>
    kubernetesProber({
      place: { context: "tokyo", namespace: NAMESPACE, image: IMAGE, env: "probe-secrets" },
      environment: "production",
      region: "tokyo",
      run,
      brief,
      kubeconfig,
      clock: systemClock,
    });
  const lines: string[] = [];
  const troubles: (string | undefined)[] = [];
  const on = { line: (text: string) => void lines.push(text), trouble: (why?: string) => void troubles.push(why) };
  return { api, kubeconfig, proberOf, lines, troubles, on };
}

const nameOf = (run: string): string => proberName({ environment: "production", region: "tokyo", run });
const born = (api: KubeApi, pod: string, more: Partial<Pod["status"]> = {}, run = RUN): void =>
  api.put("pods", NAMESPACE, {
    metadata: { name: pod, labels: { "midflight.dev/probes": nameOf(run) }, annotations: { brief: "b" } },
    spec: { containers: [{ name: "probes" }] },
    status: { phase: "Running", ...more },
  });
const ordersOf = (api: KubeApi, pod: string): string | undefined =>
  api.get("pods", NAMESPACE, pod)?.metadata.annotations?.[ORDERS];

describe("probes of a region in Kubernetes", () => {
  test("are one pod without a token or a right, with its secrets from the Secret that is named", async () => {
    const { api, proberOf, on } = await begin();
    const prober = proberOf(RUN, '{"midflight":1}');
    await prober.start(on, signal);
    const [made, ...others] = api.list("deployments", NAMESPACE);
    expect(others).toEqual([]);
    expect(made?.metadata.name.length).toBeLessThanOrEqual(46);
    expect(made).toMatchObject({
      metadata: { annotations: { "midflight.dev/run": RUN } },
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" },
        template: {
          metadata: { annotations: { "midflight.dev/probe-brief": '{"midflight":1}' } },
          spec: {
            automountServiceAccountToken: false,
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              {
                image: IMAGE,
                args: ["probe", "/etc/midflight", "--left", "/midflight/left.ndjson"],
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                envFrom: [{ secretRef: { name: "probe-secrets" } }],
              },
            ],
          },
        },
      },
    });
    expect(api.asked.filter((one) => one.includes("secrets"))).toEqual([]);
    await prober.stop();
    expect(api.list("deployments", NAMESPACE)).toEqual([]);
  });

  test("hear the newest orders as soon as there is a pod, and another pod hears them too", async () => {
    const { api, proberOf, lines, troubles, on } = await begin();
    const prober = proberOf(RUN);
    undone.push(() => prober.stop());
    prober.order("first");
    await prober.start(on, signal);
    prober.order("second");
    born(api, "pod-1");
    api.print(NAMESPACE, "pod-1", "one\ntwo\n");
    await expect.poll(() => ordersOf(api, "pod-1"), { timeout: 5_000 }).toBe("second");
    await expect.poll(() => lines.slice(0, 2), { timeout: 5_000 }).toEqual(["one", "two"]);
    api.remove("pods", NAMESPACE, "pod-1");
    await expect.poll(() => troubles.at(-1), { timeout: 5_000 }).toBe("have no pod");
    born(api, "pod-2");
    api.print(NAMESPACE, "pod-2", "three\n");
    await expect.poll(() => lines.at(-1), { timeout: 5_000 }).toBe("three");
    expect(ordersOf(api, "pod-2")).toBe("second");
    expect(troubles.at(-1)).toBeUndefined();
    api.remove("pods", NAMESPACE, "pod-2");
  });

  test("that cannot start say why, in a sentence", async () => {
    const { api, proberOf, troubles, on } = await begin();
    const prober = proberOf(RUN);
    undone.push(() => prober.stop());
    await prober.start(on, signal);
    const waiting = { reason: "CreateContainerConfigError", message: 'secret "probe-secrets" not found' };
    born(api, "pod-1", { phase: "Pending", containerStatuses: [{ name: "probes", state: { waiting } }] });
    await expect
      .poll(() => troubles.at(-1), { timeout: 5_000 })
      .toBe(
        'do not run: pod-1: container probes cannot be started (CreateContainerConfigError): secret "probe-secrets" not found',
      );
    api.remove("pods", NAMESPACE, "pod-1");
  });

  test("whose log nobody may read say which rule is missing, and are read once somebody may", async () => {
    const { api, proberOf, troubles, lines, on } = await begin();
    const prober = proberOf(RUN);
    undone.push(() => prober.stop());
    await prober.start(on, signal);
    api.refuse({
      method: "GET",
      kind: "pods",
      subresource: "log",
      status: 403,
      message: "pods/log is forbidden",
      times: 1_000,
    });
    born(api, "pod-1");
    api.print(NAMESPACE, "pod-1", "one\n");
    await expect
      .poll(() => troubles.at(-1), { timeout: 5_000 })
      .toBe("cannot be heard: may not get pods/pod-1/log in namespace watchers in tokyo: pods/log is forbidden");
    api.forgive();
    await expect.poll(() => lines.at(-1), { timeout: 5_000 }).toBe("one");
    expect(troubles.at(-1)).toBeUndefined();
    api.remove("pods", NAMESPACE, "pod-1");
  });

  test("of a run that goes on are the ones that stand; those of a dead run go, and those of one that lives stay", async () => {
    const { api, kubeconfig, proberOf, on } = await begin();
    for (const run of ["alive", "dead"]) {
      const other = proberOf(run);
      await other.start(on, signal);
      undone.push(() => other.stop());
      born(api, `pod-${run}`, {}, run);
      other.order("0");
      await expect.poll(() => ordersOf(api, `pod-${run}`), { timeout: 5_000 }).toBe("0");
      let count = 0;
      if (run === "alive") {
        const beat = setInterval(() => other.order(String((count += 1))), 500);
        undone.push(() => Promise.resolve(clearInterval(beat)));
      }
    }
    const place = { context: "tokyo", namespace: NAMESPACE, image: IMAGE };
    const seen = await leftProbers({
      environment: "production",
      region: "tokyo",
      place,
      kubeconfig,
      clock: systemClock,
    }).look(signal);
    expect(seen.map(({ run, isAbandoned }) => `${run} ${isAbandoned}`).toSorted()).toEqual([
      "alive false",
      "dead true",
    ]);
    const [first, again] = [proberOf(RUN, "before"), proberOf(RUN, "after")];
    await first.start(on, signal);
    await again.start(on, signal);
    undone.push(() => first.stop());
    undone.push(() => again.stop());
    const names = () => api.list("deployments", NAMESPACE).map(({ metadata }) => metadata.name);
    expect(names().toSorted()).toEqual(["dead", "alive", RUN].map((run) => nameOf(run)).toSorted());
    await expect.poll(() => names().includes(nameOf("dead")), { timeout: 20_000 }).toBe(false);
    expect(names().toSorted()).toEqual(["alive", RUN].map((run) => nameOf(run)).toSorted());
    expect(JSON.stringify(api.get("deployments", NAMESPACE, nameOf(RUN)))).toContain('"after"');
    for (const run of ["dead", "alive"]) api.remove("pods", NAMESPACE, `pod-${run}`);
  }, 60_000);
});
