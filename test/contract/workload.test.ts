import { expect } from "vitest";
import { livesOf, siteOf } from "../../src/adapters/process/site.ts";
import { processTraffic } from "../../src/adapters/process/traffic.ts";
import { processWorkload } from "../../src/adapters/process/workload.ts";
import { imageOf, kubePlace, releaseOf } from "../fakes/kube-place.ts";
import { processPlace } from "../fakes/process-place.ts";
import { fakeWorld } from "../fakes/workload.ts";
import { workloadContract, type Release, type WorkloadHarness } from "./workload.ts";

const { signal } = new AbortController();

workloadContract("in memory", async () => {
  const world = fakeWorld();
  const [old, fresh, bad] = ["1.0", "2.0", "3.0"].map((version) => ({
    release: `gateway@${version}`,
    digest: `sha256:${version.repeat(3)}`,
  })) as [Release, Release, Release];
  world.spoil(bad.digest);
  return {
    workload: world.workload,
    traffic: world.traffic,
    old,
    fresh,
    bad,
    instances: "kept",
    kill: async (id) => world.kill(id),
    revive: async () => undefined,
    cut: async (region) => world.cut(region),
    close: async () => undefined,
  };
});

workloadContract("as processes", asProcesses);

async function asProcesses(): Promise<WorkloadHarness> {
  const place = await processPlace(
    { "gateway@1.0": {}, "gateway@2.0": {}, "gateway@3.0": { neverReady: true } },
    { readyDeadlineMs: 3_000 },
  );
  const release = (name: string): Release => ({ release: name, digest: place.digest(name) });
  return {
    workload: processWorkload(place.options),
    traffic: processTraffic(place.options),
    old: release("gateway@1.0"),
    fresh: release("gateway@2.0"),
    bad: release("gateway@3.0"),
    instances: "kept",
    async kill(id) {
      const site = siteOf(place.options, "tokyo");
      const record = (await site.registry.list("tokyo")).find((one) => one.id === id);
      process.kill(record?.process?.pid ?? 0, "SIGKILL");
      await expect
        .poll(async () => (await livesOf(site, record === undefined ? [] : [record], signal))[0]?.isAlive)
        .toBe(false);
    },
    revive: async () => undefined,
    cut: async (region) => place.balancers[region]?.stop(),
    close: place.close,
  };
}

workloadContract("as pods", async () => {
  const place = await kubePlace({ replicas: 0 });
  const { tokyo } = place.clusters;
  tokyo?.spoil(imageOf("3.0"));
  const driver = place.open();
  // What a pod does by itself is heard of a moment later.
  const isSeen = async (id: string, isReady: boolean): Promise<void> => {
    const find = async () => (await driver.workload.observe("tokyo", signal)).instances.find((one) => one.id === id);
    await expect.poll(async () => (await find())?.ready, { interval: 5, timeout: 5_000 }).toBe(isReady);
  };
  return {
    ...driver,
    old: releaseOf("1.0"),
    fresh: releaseOf("2.0"),
    bad: releaseOf("3.0"),
    instances: "replaced",
    async kill(id) {
      tokyo?.kill("tokyo", id);
      await isSeen(id, false);
    },
    async revive(id) {
      tokyo?.revive("tokyo", id);
      await isSeen(id, true);
    },
    cut: async (region) => place.clusters[region]?.close(),
    close: place.close,
  };
});
