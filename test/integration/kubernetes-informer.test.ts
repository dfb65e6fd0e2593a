import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { RESOURCES } from "../../src/adapters/kubernetes/api/api-failure.ts";
import { apiOf } from "../../src/adapters/kubernetes/api/api.ts";
import { connect } from "../../src/adapters/kubernetes/api/connection.ts";
import { informerOn, type Informer } from "../../src/adapters/kubernetes/api/informer.ts";
import { sourcesOf } from "../../src/adapters/kubernetes/site.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Workload } from "../../src/ports/workload.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import { kubePlace, type KubePlace } from "../fakes/kube-place.ts";

// What watches keep of a component, over real HTTP.
const { signal } = new AbortController();
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

type Stage = {
  readonly place: KubePlace;
  readonly tokyo: KubeCluster;
  readonly workload: Workload;
  /** Lets so much time pass. */
  pass(ms: number): void;
};

async function begin(replicas: number): Promise<Stage> {
  let passed = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passed };
  const place = await kubePlace({ replicas, clock });
  places.push(place);
  const tokyo = place.clusters["tokyo"];
  if (tokyo === undefined) throw new Error("there is no tokyo");
  const { workload } = place.open();
  await expect.poll(() => readyIn(workload), { timeout: 5_000 }).toBe(replicas);
  // Whoever looks once leaves no watch behind.
  await readyIn(workload);
  await expect.poll(() => tokyo.watching(), { timeout: 5_000 }).toBe(4);
  return { place, tokyo, workload, pass: (ms) => void (passed += ms) };
}

const readyIn = async (workload: Workload): Promise<number> =>
  (await workload.observe("tokyo", signal)).instances.filter(({ ready, weightPct }) => ready && weightPct === 100)
    .length;

const somePod = (cluster: KubeCluster): string => cluster.list("pods", "tokyo")[0]?.metadata.name ?? "nobody";

describe("whoever looks again and again", () => {
  test("asks for nothing, and sees what a pod does", async () => {
    const { tokyo, workload } = await begin(3);
    const asked = tokyo.asked.length;
    const pod = somePod(tokyo);
    tokyo.kill("tokyo", pod);
    await expect.poll(() => readyIn(workload), { interval: 5 }).toBe(2);
    tokyo.revive("tokyo", pod);
    await expect.poll(() => readyIn(workload), { interval: 5 }).toBe(3);
    expect(tokyo.asked.slice(asked)).toEqual([]);
  });

  test("sees what happened while no watch stood", async () => {
    const { tokyo, workload } = await begin(2);
    tokyo.endWatches();
    tokyo.kill("tokyo", somePod(tokyo));
    await expect.poll(() => readyIn(workload), { interval: 5 }).toBe(1);
  });

  test("sees what happened in versions that are no longer kept", async () => {
    const { tokyo, workload } = await begin(2);
    tokyo.forget();
    tokyo.endWatches();
    tokyo.kill("tokyo", somePod(tokyo));
    tokyo.forget();
    await expect.poll(() => readyIn(workload), { interval: 5 }).toBe(1);
  });

  test("learns at once that the API server is gone, and sees everything when it is back", async () => {
    const { tokyo, workload } = await begin(2);
    for (const kind of ["deployments", "pods", "endpointslices"] as const)
      tokyo.refuse({ method: "GET", kind, status: 503, message: "starting", times: 1_000 });
    tokyo.endWatches();
    await expect
      .poll(() => workload.observe("tokyo", signal).catch((error: unknown) => error), { interval: 5 })
      .toMatchObject({ code: "WORKLOAD_UNREACHABLE", message: expect.stringContaining("starting") });
    tokyo.kill("tokyo", somePod(tokyo));
    tokyo.forgive();
    expect(await readyIn(workload)).toBe(1);
    await expect.poll(() => tokyo.watching(), { timeout: 5_000 }).toBe(4);
  });

  test("asks a server that says nothing whether it is there, and does not wait for its watches to break", async () => {
    const { tokyo, workload, pass } = await begin(2);
    const asked = tokyo.asked.length;
    pass(4_500);
    expect(await readyIn(workload)).toBe(2);
    expect(await readyIn(workload)).toBe(2);
    expect(tokyo.asked.slice(asked)).toEqual(["GET deployments/gateway"]);
    pass(4_500);
    tokyo.refuse({ method: "GET", kind: "deployments", status: 503, message: "stopping", times: 1_000 });
    await expect(workload.observe("tokyo", signal)).rejects.toMatchObject({ code: "WORKLOAD_UNREACHABLE" });
  });

  test("does not believe a watch for ever that tells nothing", async () => {
    const { tokyo, workload, pass } = await begin(2);
    tokyo.mute();
    tokyo.kill("tokyo", somePod(tokyo));
    pass(80_000);
    expect(await readyIn(workload)).toBe(1);
  });

  test("reads everything each time where it may not watch", async () => {
    const place = await kubePlace({ replicas: 2 });
    places.push(place);
    const { tokyo } = place.clusters;
    if (tokyo === undefined) throw new Error("there is no tokyo");
    const { workload } = place.open();
    await readyIn(workload);
    expect(tokyo.watching()).toBe(0);
    // Whoever may get the one may not list them.
    tokyo.refuse({ method: "GET", kind: "deployments", status: 403, message: "forbidden", times: 1 });
    await expect.poll(() => readyIn(workload), { timeout: 5_000 }).toBe(2);
    expect(tokyo.asked.filter((one) => one.startsWith("WATCH"))).toEqual([]);
    tokyo.kill("tokyo", somePod(tokyo));
    expect(await readyIn(workload)).toBe(1);
  });
});

/** Straight on the API of tokyo, as a site has it. */
function informerIn({ place }: Stage, idleMs?: number): Informer {
  const { config, clock, kubeconfig } = place.options;
  const { object } = config;
  const isBeside = true;
  return informerOn({
    api: apiOf(connect(kubeconfig, "tokyo", { now: () => clock.monotonic() }), clock),
    clock,
    object: {
      resource: RESOURCES[object.kind],
      name: object.name,
      query: { fieldSelector: `metadata.name=${object.name}` },
      isBeside,
    },
    sources: (found) => sourcesOf(config, found),
    ...(idleMs === undefined ? {} : { idleMs }),
  });
}

describe("what watches keep", () => {
  test("is never older than what this process wrote, also where they are late", async () => {
    const stage = await begin(1);
    const informer = informerIn(stage);
    expect((await informer.parts(signal))?.object.metadata.annotations).toBeUndefined();
    stage.tokyo.mute();
    const body = [{ op: "add", path: "/metadata/annotations", value: { seen: "at once" } }];
    await informer.api.send({ verb: "patch", resource: "deployments", name: "gateway", body }, signal);
    expect(informer.object()).toBeUndefined();
    expect((await informer.parts(signal))?.object.metadata.annotations).toEqual({ seen: "at once" });
    const name = somePod(stage.tokyo);
    await informer.api.send({ verb: "delete", resource: "pods", name }, signal);
    const staying = (await informer.parts(signal))?.pods.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    expect(staying?.map(({ metadata }) => metadata.name)).not.toContain(name);
  });

  test("is read anew after a write of which nobody knows whether it was done", async () => {
    const stage = await begin(1);
    const informer = informerIn(stage);
    await informer.parts(signal);
    stage.tokyo.mute();
    stage.tokyo.lose("PATCH", "deployments");
    const body = [{ op: "add", path: "/metadata/annotations", value: { seen: "all the same" } }];
    await informer.api
      .send({ verb: "patch", resource: "deployments", name: "gateway", body }, signal)
      .catch(() => undefined);
    expect((await informer.parts(signal))?.object.metadata.annotations).toEqual({ seen: "all the same" });
  });

  test("is let go when nobody looks any more, and is there again for the next one", async () => {
    const stage = await begin(1);
    const informer = informerIn(stage, 30);
    await informer.parts(signal);
    await expect.poll(() => informer.object()).toBeUndefined();
    await expect.poll(() => stage.tokyo.watching(), { timeout: 5_000 }).toBe(4);
    expect((await informer.parts(signal))?.pods).toHaveLength(1);
  });

  test("says that the object is gone, and sees another one of its name by its own selector", async () => {
    const stage = await begin(1);
    const informer = informerIn(stage);
    await informer.parts(signal);
    const { spec } = stage.tokyo.get("deployments", "tokyo", "gateway") ?? {};
    stage.tokyo.remove("deployments", "tokyo", "gateway");
    await expect.poll(() => informer.parts(signal), { interval: 5 }).toBeUndefined();
    stage.tokyo.put("deployments", "tokyo", {
      metadata: { name: "gateway" },
      spec: { ...spec, replicas: 0, selector: { matchLabels: { app: "another" } } },
    });
    await expect.poll(async () => (await informer.parts(signal))?.pods, { interval: 5 }).toEqual([]);
  });
});

test("a program that looked ends by itself, although watches are open", async () => {
  const { place, tokyo } = await begin(1);
  const driver = new URL("../../src/adapters/kubernetes/driver.ts", import.meta.url).href;
  const clock = new URL("../../src/adapters/system/clock.ts", import.meta.url).href;
  const { clock: _, ...options } = place.options;
  const program = `
    const { kubernetesDriver } = await import(${JSON.stringify(driver)});
    const { systemClock: clock } = await import(${JSON.stringify(clock)});
    const { workload } = kubernetesDriver({ ...${JSON.stringify(options)}, clock });
    const { signal } = new AbortController();
    for (let turn = 0; turn < 2; turn += 1) await workload.observe("tokyo", signal);
    process.stdout.write("looked");`;
  const before = tokyo.asked.length;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  let looked = 0;
  child.stdout.on("data", (piece: Buffer) => {
    printed += piece.toString();
    looked = performance.now();
  });
  const [status]: unknown[] = await once(child, "close");
  expect({ status, printed }).toEqual({ status: 0, printed: "looked" });
  expect(performance.now() - looked).toBeLessThan(5_000);
  expect(tokyo.asked.slice(before).some((one) => one.startsWith("WATCH"))).toBe(true);
}, 60_000);
