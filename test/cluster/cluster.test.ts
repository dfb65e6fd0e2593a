import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiAt, type Api } from "./api.ts";
import { PARTS } from "./build.ts";
import { down, status, up } from "./cluster.ts";
import { attempt, until } from "./commands.ts";
import { apiUrl, BRIDGE, type ClusterFacts } from "./facts.ts";
import { loadImage, type ImageRecipe } from "./images.ts";
import { caOf } from "./kubeconfig.ts";
import { mountsBelow } from "./clear.ts";
import { placesOf } from "./places.ts";
import { isAlive, partsOf, record, recorded } from "./processes.ts";

// `npm run test:cluster` made it, or found it, before this file is read.
const places = placesOf(process.env["MIDFLIGHT_CLUSTER"] ?? "test");
const regions = ["tokyo", "frankfurt"];
const ECHO = "localhost/echo:1";
const ECHO_IMAGE: ImageRecipe = {
  tag: ECHO,
  files: { "app/echo.mjs": fileURLToPath(new URL("./echo.mjs", import.meta.url)) },
  entrypoint: ["/usr/bin/node", "/app/echo.mjs"],
  hasNode: true,
};
/** Beyond every rollout: the Deployment's controller waits for somebody to move it on. */
const HELD = { minReadySeconds: 2_147_483_646, progressDeadlineSeconds: 2_147_483_647 };

let facts: ClusterFacts;
let api: Api;

beforeAll(async () => {
  facts = await up({ places, regions, hasNode: true, mayInstall: false, say: () => {} });
  api = await apiAt(apiUrl(facts), facts.tokens.admin, caOf(places));
  await loadImage(places, ECHO_IMAGE);
}, 180_000);

afterAll(() => api?.close());

const deployment = (name: string, replicas: number, spec: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } },
    ...spec,
    template: templateOf(name, "1"),
  },
});

const templateOf = (name: string, version: string) => ({
  metadata: { labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "echo",
        image: ECHO,
        imagePullPolicy: "Never",
        env: [{ name: "VERSION", value: version }],
        readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
      },
    ],
  },
});

type Pods = {
  readonly items: readonly {
    readonly spec: { readonly containers: readonly { readonly env: readonly { readonly value: string }[] }[] };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
    readonly metadata: { readonly deletionTimestamp?: string };
  }[];
};

/** How many ready pods of each version there are; those that are on their way out don't count. */
const readyByVersion = async (namespace: string, app: string): Promise<Readonly<Record<string, number>>> => {
  const { items } = (await api.call("GET", `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`)) as Pods;
  const counts: Record<string, number> = {};
  for (const { spec, status: now, metadata } of items) {
    if (metadata.deletionTimestamp !== undefined) continue;
    if (now.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") !== true) continue;
    const version = spec.containers[0]?.env[0]?.value ?? "";
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
};

const settles = (namespace: string, app: string, wanted: Readonly<Record<string, number>>): Promise<void> =>
  until(`${app} with ${JSON.stringify(wanted)}`, 60_000, async () => {
    const is = JSON.stringify(await readyByVersion(namespace, app));
    return is === JSON.stringify(wanted) ? true : is;
  });

describe("a real cluster for tests", () => {
  test("that runs is found, not made again", async () => {
    const before = await recorded(places);
    await up({ places, regions, hasNode: true, mayInstall: false, say: () => {} });
    expect(await recorded(places)).toEqual(before);
    expect((await status(places)).isReady).toBe(true);
  });

  test("runs pods of an image made of files, and a Service leads to all of them", async () => {
    await api.call("POST", "/apis/apps/v1/namespaces/tokyo/deployments", deployment("echo", 3));
    const service = (await api.call("POST", "/api/v1/namespaces/tokyo/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "echo" },
      spec: { selector: { app: "echo" }, ports: [{ port: 80, targetPort: 8080 }] },
    })) as { readonly spec: { readonly clusterIP: string } };
    try {
      await settles("tokyo", "echo", { 1: 3 });
      const seen = new Set<string>();
      await until("answers of all three pods", 30_000, async () => {
        const answer = (await (
          await fetch(`http://${service.spec.clusterIP}/`, { headers: { connection: "close" } })
        ).json()) as { readonly pod: string };
        seen.add(answer.pod);
        return seen.size === 3 ? true : `${seen.size} pods answered`;
      });
      expect(seen.size).toBe(3);
    } finally {
      await api.call("DELETE", "/api/v1/namespaces/tokyo/services/echo");
      await api.call("DELETE", "/apis/apps/v1/namespaces/tokyo/deployments/echo");
    }
  }, 120_000);

  test("holds a stock Deployment at any batch", async () => {
    const path = "/apis/apps/v1/namespaces/frankfurt/deployments";
    await api.call("POST", path, deployment("held", 4));
    const patch = (spec: object) => api.call("PATCH", `${path}/held`, { spec }, "application/merge-patch+json");
    const surge = (maxSurge: number, maxUnavailable: number) => ({
      strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
    });
    try {
      await settles("frankfurt", "held", { 1: 4 });
      await patch({ ...HELD, ...surge(2, 0), template: templateOf("held", "2") });
      await settles("frankfurt", "held", { 1: 4, 2: 2 });
      await patch(surge(0, 2));
      await settles("frankfurt", "held", { 1: 2, 2: 2 });
      // Nothing moves unless somebody moves it.
      const stands = await readyByVersion("frankfurt", "held");
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      expect(await readyByVersion("frankfurt", "held")).toEqual(stands);
      await patch(surge(2, 4));
      await settles("frankfurt", "held", { 2: 4 });
    } finally {
      await api.call("DELETE", `${path}/held`);
    }
  }, 180_000);

  test("and a second control plane beside it knows nothing of the first", async () => {
    const second = placesOf(`${places.name}-second`);
    const other = await up({ places: second, regions: [], hasNode: false, mayInstall: false, say: () => {} });
    const there = await apiAt(apiUrl(other), other.tokens.admin, caOf(second));
    try {
      await expect(there.call("GET", "/api/v1/namespaces/tokyo")).rejects.toThrow("404");
    } finally {
      there.close();
      await down(second);
    }
    expect(await readdir("/var/tmp/midflight-cluster")).not.toContain(second.name);
    expect(await partsOf(second)).toEqual([]);
    expect((await status(places)).isReady).toBe(true);
  }, 120_000);

  test("leaves nothing behind when it is taken down", async () => {
    const parts = await recorded(places);
    await down(places);
    await down(places);
    for (const part of parts) expect(await isAlive(part)).toBe(false);
    await expectNothingLeft();
  }, 120_000);

  test("is made once for two who ask at the same time", async () => {
    const options = { places, regions, hasNode: true, mayInstall: false, say: () => {} };
    const [one, other] = await Promise.all([up(options), up(options)]);
    expect(one).toEqual(other);
    const running = await partsOf(places);
    expect(running.map(({ part }) => part).toSorted()).toEqual([...PARTS, "containerd"].toSorted());
  }, 120_000);

  test("of which parts died is told so, and nothing of it is left when it is taken down, also no pod", async () => {
    facts = await up({ places, regions, hasNode: true, mayInstall: false, say: () => {} });
    api.close();
    api = await apiAt(apiUrl(facts), facts.tokens.admin, caOf(places));
    await loadImage(places, ECHO_IMAGE);
    await api.call("POST", "/apis/apps/v1/namespaces/tokyo/deployments", deployment("orphan", 2));
    await settles("tokyo", "orphan", { 1: 2 });
    const pods = await commandsWith("/app/echo.mjs");
    expect(pods).toHaveLength(2);
    // Nobody wrote down what the last one before the crash had started.
    await record(places, []);
    for (const { part, pid } of await partsOf(places))
      if (part === "containerd" || part === "kubelet") process.kill(pid, "SIGKILL");
    expect((await status(places)).isReady).toBe(false);
    await down(places);
    await expectNothingLeft();
    expect(await commandsWith("/app/echo.mjs")).toEqual([]);
  }, 120_000);
});

/** Numbers of the processes that have this word in their command line. */
const commandsWith = async (word: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (line.split("\0").includes(word)) found.push(entry);
  }
  return found;
};

async function expectNothingLeft(): Promise<void> {
  expect(await partsOf(places)).toEqual([]);
  expect(await mountsBelow(places.dir)).toEqual([]);
  expect(await attempt("ip", ["link", "show", BRIDGE])).toBe("");
  expect(await attempt("nft", ["list", "tables"])).not.toContain("kube");
  expect(await readdir("/var/tmp/midflight-cluster")).not.toContain(places.name);
  for (const [name, value] of Object.entries(facts.before))
    expect((await readFile(`/proc/sys/${name}`, "utf8")).trim(), name).toBe(value);
  for (const path of facts.strays) await expect(readdir(path), path).rejects.toThrow("ENOENT");
}
