import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import { NODE } from "../facts.ts";
import { record, recorded, start } from "../processes.ts";
import { fence, shapeOf, untilServing, weighingOf } from "./orders.ts";
import type { Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

const { signal } = new AbortController();
const cluster = withGround();

async function begin(replicas: number, readyDeadlineMs: number): Promise<Place> {
  const place = await cluster.place({ replicas, readyDeadlineMs });
  await untilServing(place, replicas);
  return place;
}

/** Makes an object in tokyo that goes with the test. */
async function make(path: string, name: string, body: object): Promise<void> {
  await cluster.ground().api.call("POST", path, { metadata: { name }, ...body });
  cluster.undo(() => cluster.ground().api.call("DELETE", `${path}/${name}`));
}

describe("on a real cluster", () => {
  test("a release that ends as soon as it starts is told, and not waited for to the deadline", async () => {
    const place = await begin(1, 60_000);
    const began = performance.now();
    await expect(
      place.driver.workload.shape("tokyo", shapeOf(place, 1, 1, "4.0"), fence(), signal),
    ).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("ends again and again, with exit status 3"),
    });
    expect(performance.now() - began).toBeLessThan(45_000);
  }, 90_000);

  test("a quota that has no room says so at once, in the dark and in the Deployment", async () => {
    const place = await begin(1, 60_000);
    const path = "/api/v1/namespaces/tokyo/resourcequotas";
    await make(path, "full", { spec: { hard: { pods: "1" } } });
    await expect
      .poll(async () => (await cluster.ground().api.call("GET", `${path}/full`)) as object, {
        timeout: 20_000,
        interval: 200,
      })
      .toMatchObject({ status: { used: { pods: "1" } } });
    const shape = place.driver.workload.shape("tokyo", shapeOf(place, 1, 1), fence(), signal);
    await expect(shape).rejects.toMatchObject({
      code: "KUBERNETES_REFUSED",
      message: expect.stringContaining("exceeded quota: full"),
    });
    await cluster
      .ground()
      .api.call("PATCH", `${path}/full`, { spec: { hard: { pods: "2" } } }, "application/merge-patch+json");
    await expect
      .poll(async () => (await cluster.ground().api.call("GET", `${path}/full`)) as object, {
        timeout: 20_000,
        interval: 200,
      })
      .toMatchObject({ status: { hard: { pods: "2" } } });
    await place.driver.workload.shape("tokyo", shapeOf(place, 1, 1), fence(), signal);
    const began = performance.now();
    await expect(place.driver.traffic.weigh("tokyo", weighingOf(place, 1, 1), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("may not make pods"),
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  }, 120_000);

  test("a node that takes no pods is named at the deadline", async () => {
    const place = await begin(1, 3_000);
    const cordon = (unschedulable: boolean) =>
      cluster
        .ground()
        .api.call("PATCH", `/api/v1/nodes/${NODE}`, { spec: { unschedulable } }, "application/merge-patch+json");
    await cordon(true);
    cluster.undo(() => cordon(false));
    await expect(place.driver.workload.shape("tokyo", shapeOf(place, 1, 1), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringMatching(/no node takes it: .*unschedulable/),
    });
  }, 60_000);

  test("an API server that dies while pods are waited for is waited for as well, and nothing is done twice", async () => {
    const place = await begin(2, 60_000);
    await place.driver.workload.shape("tokyo", shapeOf(place, 2, 1), fence(), signal);
    const weighed = place.driver.traffic.weigh("tokyo", weighingOf(place, 2, 1), fence(), signal).then(
      () => "weighed",
      (error: { readonly code?: string }) => error.code,
    );
    await expect
      .poll(async () => (await place.deployment("tokyo")).spec.minReadySeconds, { timeout: 10_000, interval: 50 })
      .toBeGreaterThan(1_000_000);
    const restart = await killApiServer();
    await expect(place.driver.workload.observe("tokyo", signal)).rejects.toMatchObject({
      code: "WORKLOAD_UNREACHABLE",
    });
    await restart();
    // An order that was on its way is told as unanswered; one that was only waited for goes on.
    const answer = await weighed;
    expect(["weighed", "BALANCER_UNREACHABLE"]).toContain(answer);
    if (answer !== "weighed") await place.driver.traffic.weigh("tokyo", weighingOf(place, 2, 1), fence(), signal);
    await place.driver.workload.shape("tokyo", shapeOf(place, 1, 1), fence(), signal);
    const { instances } = await place.driver.workload.observe("tokyo", signal);
    expect(instances.map(({ release, ready, weightPct }) => `${release} ${ready} ${weightPct}`).toSorted()).toEqual([
      "gateway@1.0 true 100",
      "gateway@2.0 true 100",
    ]);
  }, 120_000);

  test("a user with the rights of this Role, and no others, rolls forth and back; without one of them he is told which", async () => {
    const place = await begin(2, 60_000);
    const token = await tokenOf(place.name);
    const kubeconfig = (place.options.kubeconfig ?? "").replace(cluster.ground().facts.tokens.admin, token);
    const driver = kubernetesDriver({ ...place.options, kubeconfig });
    await driver.workload.shape("tokyo", shapeOf(place, 2, 1), fence(), signal);
    await driver.traffic.weigh("tokyo", weighingOf(place, 2, 1), fence(), signal);
    await driver.workload.shape("tokyo", shapeOf(place, 1, 1), fence(), signal);
    await driver.traffic.weigh("tokyo", weighingOf(place, 1, 0), fence(), signal);
    await driver.workload.shape("tokyo", shapeOf(place, 2, 0), fence(), signal);
    expect(Object.keys((await place.deployment("tokyo")).metadata.annotations ?? {})).not.toContain(
      "midflight.dev/held",
    );
    const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/tokyo/roles";
    await cluster
      .ground()
      .api.call(
        "PATCH",
        `${roles}/${place.name}`,
        { rules: RULES.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== "patch") })) },
        "application/merge-patch+json",
      );
    await expect
      .poll(
        () =>
          driver.workload.shape("tokyo", shapeOf(place, 2, 1), fence(), signal).then(
            () => "done",
            (error: { readonly code?: string; readonly hint?: string }) => `${error.code}: ${error.hint}`,
          ),
        { timeout: 20_000, interval: 500 },
      )
      .toBe(
        'KUBERNETES_FORBIDDEN: add to a Role of this user in namespace tokyo: {apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]}',
      );
  }, 120_000);
});

/** Ends it at once, as a machine does that loses its power. Resolves with how it is started again, and ready. */
async function killApiServer(): Promise<() => Promise<void>> {
  const { places, api } = cluster.ground();
  const server = (await recorded(places)).find(({ part }) => part === "kube-apiserver");
  if (server === undefined) throw new Error("nobody wrote down where the API server is");
  const [program = "", ...args] = (await readFile(`/proc/${server.pid}/cmdline`, "utf8")).split("\0").slice(0, -1);
  process.kill(server.pid, "SIGKILL");
  let isBack = false;
  const restart = async (): Promise<void> => {
    if (isBack) return;
    isBack = true;
    await record(
      places,
      (await recorded(places)).filter(({ pid }) => pid !== server.pid),
    );
    await start(places, "kube-apiserver", program, args);
    await expect.poll(() => api.call("GET", "/readyz").catch(String), { timeout: 60_000, interval: 200 }).toBe("ok");
  };
  cluster.undo(restart);
  return restart;
}

const RULES = [
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "watch", "patch"] },
  { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list", "patch"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch", "create", "delete"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
];

/** A service account with nothing but these rights in tokyo. */
async function tokenOf(name: string): Promise<string> {
  const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/tokyo";
  const accounts = "/api/v1/namespaces/tokyo/serviceaccounts";
  await make(accounts, name, {});
  await make(`${roles}/roles`, name, { rules: RULES });
  await make(`${roles}/rolebindings`, name, {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace: "tokyo" }],
  });
  const { status } = (await cluster.ground().api.call("POST", `${accounts}/${name}/token`, { spec: {} })) as {
    readonly status: { readonly token: string };
  };
  return status.token;
}
