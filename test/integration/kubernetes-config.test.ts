import { afterEach, describe, expect, test } from "vitest";
import { copyOf, dataDigest, sha256 } from "../../src/adapters/kubernetes/config.ts";
import { kubernetesDriver } from "../../src/adapters/kubernetes/driver.ts";
import type { KubernetesOptions } from "../../src/adapters/kubernetes/api/options.ts";
import { kubernetesDigest } from "../../src/graph/release-digest.ts";
import type { Shape } from "../../src/graph/observation.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import { digestOf, imageOf, kubePlace, type KubePlace } from "../fakes/kube-place.ts";

// ConfigMaps and Secrets as part of a release, over real HTTP.
const { signal } = new AbortController();
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

const LIMITS = { data: { most: "200" } };
const KEYS = { data: { key: Buffer.from("do-not-tell").toString("base64") } };
const CONFIG = { limits: dataDigest(LIMITS), keys: dataDigest(KEYS) };
/** The image that runs already, with config: nothing else is new in it. */
const RELEASE = { image: imageOf("1.0"), config: CONFIG };
const DIGEST = kubernetesDigest(RELEASE, sha256) ?? "none";

const readingTemplate = (limits: string, keys: string) => ({
  metadata: { labels: { app: "gateway" } },
  spec: {
    containers: [{ name: "gateway", image: imageOf("1.0"), envFrom: [{ configMapRef: { name: limits } }] }],
    volumes: [{ name: "keys", secret: { secretName: keys } }],
  },
});

type Stage = { readonly tokyo: KubeCluster; readonly options: KubernetesOptions };

async function begin(copies: "there" | "missing"): Promise<Stage> {
  const place = await kubePlace({ replicas: 2, spec: { template: readingTemplate("limits", "keys") } });
  places.push(place);
  const tokyo = place.clusters["tokyo"];
  if (tokyo === undefined) throw new Error("there is no tokyo");
  if (copies === "there") {
    tokyo.put("configmaps", "tokyo", {
      metadata: { name: copyOf("limits", CONFIG.limits) },
      immutable: true,
      ...LIMITS,
    });
    tokyo.put("secrets", "tokyo", { metadata: { name: copyOf("keys", CONFIG.keys) }, immutable: true, ...KEYS });
  }
  const options = { ...place.options, releases: { "gateway@2.0": RELEASE }, target: "gateway@2.0" };
  // Whoever looks only, and has no release in mind, is not kept from it.
  const { target: _, ...looking } = options;
  const { workload } = kubernetesDriver(looking);
  const serving = async (): Promise<number> =>
    (await workload.observe("tokyo", signal)).instances.filter(({ ready, weightPct }) => ready && weightPct === 100)
      .length;
  await expect.poll(serving).toBe(2);
  return { tokyo, options };
}

let seq = 0;
const fence = () => ({ epoch: 1, seq: (seq += 1) });
const shapeOf = (old: number, fresh: number): Shape => ({
  releases: [
    { release: "gateway@1.0", digest: digestOf("1.0"), count: old },
    { release: "gateway@2.0", digest: DIGEST, count: fresh },
  ],
  drain: { noticeMs: 0, deadlineMs: 1_000 },
});

describe("a release that names ConfigMaps and Secrets", () => {
  test("is refused with the first look while a copy is missing, with all that are, and nothing is touched", async () => {
    const { tokyo, options } = await begin("missing");
    const asked = tokyo.asked.length;
    await expect(kubernetesDriver(options).workload.observe("tokyo", signal)).rejects.toMatchObject({
      code: "RELEASE_CONFIG_MISMATCH",
      message: expect.stringMatching(
        /there is no configmaps\/limits-[0-9a-f]{10}; there is no secrets\/keys-[0-9a-f]{10}/,
      ),
    });
    expect(tokyo.asked.slice(asked).filter((one) => !/^(GET|WATCH) /.test(one))).toEqual([]);
  });

  test.each([
    {
      name: "can change under its name",
      copy: { immutable: false, ...LIMITS },
      says: /limits-\w+ is not immutable/,
    },
    {
      name: "holds other data",
      copy: { immutable: true, data: { most: "201" } },
      says: /limits-\w+ holds other data: its digest is sha256:[0-9a-f]{64}/,
    },
  ])("is refused while a copy $name", async ({ copy, says }) => {
    const { tokyo, options } = await begin("there");
    tokyo.put("configmaps", "tokyo", { metadata: { name: copyOf("limits", CONFIG.limits) }, ...copy });
    await expect(kubernetesDriver(options).workload.observe("tokyo", signal)).rejects.toMatchObject({
      code: "RELEASE_CONFIG_MISMATCH",
      message: expect.stringMatching(says),
    });
  });

  test("is refused where no pod would read it", async () => {
    const { options } = await begin("there");
    const releases = { "gateway@2.0": { image: imageOf("1.0"), config: { ...CONFIG, fees: CONFIG.limits } } };
    await expect(kubernetesDriver({ ...options, releases }).workload.observe("tokyo", signal)).rejects.toMatchObject({
      code: "RELEASE_CONFIG_MISMATCH",
      message: expect.stringContaining("the pod template reads no ConfigMap or Secret fees"),
    });
  });

  test("is rolled although its image is the one that runs, and its pods read the copies", async () => {
    const { tokyo, options } = await begin("there");
    const { workload, traffic } = kubernetesDriver(options);
    await workload.shape("tokyo", shapeOf(2, 2), fence(), signal);
    const weighing = [
      { digest: digestOf("1.0"), admitted: 2, weightPct: 100 },
      { digest: DIGEST, admitted: 2, weightPct: 100 },
    ];
    await traffic.weigh("tokyo", weighing, fence(), signal);
    const { instances } = await workload.shape("tokyo", shapeOf(0, 2), fence(), signal);
    expect(instances.map(({ release, weightPct }) => `${release} ${weightPct}`)).toEqual([
      "gateway@2.0 100",
      "gateway@2.0 100",
    ]);
    expect(tokyo.get("deployments", "tokyo", "gateway")?.spec.template).toEqual(
      readingTemplate(copyOf("limits", CONFIG.limits), copyOf("keys", CONFIG.keys)),
    );
  });

  test("that was turned back leaves the names that the template read before", async () => {
    const { tokyo, options } = await begin("there");
    const before = tokyo.get("deployments", "tokyo", "gateway")?.spec;
    const { workload, traffic } = kubernetesDriver(options);
    await workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    await traffic.weigh(
      "tokyo",
      [
        { digest: digestOf("1.0"), admitted: 2, weightPct: 100 },
        { digest: DIGEST, admitted: 1, weightPct: 100 },
      ],
      fence(),
      signal,
    );
    const { instances } = await workload.shape("tokyo", shapeOf(2, 0), fence(), signal);
    expect(instances.map(({ digest }) => digest)).toEqual([digestOf("1.0"), digestOf("1.0")]);
    expect(tokyo.get("deployments", "tokyo", "gateway")?.spec).toEqual(before);
  });

  test("bars nobody from going back: a region that is held is looked at without its copies", async () => {
    const { tokyo, options } = await begin("there");
    await kubernetesDriver(options).workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    tokyo.remove("configmaps", "tokyo", copyOf("limits", CONFIG.limits));
    const next = kubernetesDriver(options);
    expect((await next.workload.observe("tokyo", signal)).instances).toHaveLength(3);
    await next.workload.shape("tokyo", shapeOf(2, 0), fence(), signal);
    expect((await next.workload.shape("tokyo", shapeOf(2, 0), fence(), signal)).instances).toHaveLength(2);
  });

  test("keeps its secrets: nothing that is written or told holds what they say", async () => {
    const { tokyo, options } = await begin("there");
    tokyo.put("secrets", "tokyo", { metadata: { name: copyOf("keys", CONFIG.keys) }, immutable: false, ...KEYS });
    const refusal = await kubernetesDriver(options)
      .workload.observe("tokyo", signal)
      .catch((error: unknown) => error);
    tokyo.put("secrets", "tokyo", { metadata: { name: copyOf("keys", CONFIG.keys) }, immutable: true, ...KEYS });
    const state = await kubernetesDriver(options).workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    const annotations = tokyo.get("deployments", "tokyo", "gateway")?.metadata.annotations;
    const told = `${String(refusal)} ${JSON.stringify({ refusal, state, annotations })}`;
    expect(told).toContain("is not immutable");
    expect(told).toContain(DIGEST);
    for (const secret of ["do-not-tell", KEYS.data.key]) expect(told).not.toContain(secret);
  });

  test("whose Secrets this user may not read names the rule to add", async () => {
    const { tokyo, options } = await begin("there");
    tokyo.refuse({ method: "GET", kind: "secrets", status: 403, message: "no", times: 100 });
    await expect(kubernetesDriver(options).workload.observe("tokyo", signal)).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      hint: expect.stringContaining('resources: ["secrets"], verbs: ["get"]'),
    });
  });
});
