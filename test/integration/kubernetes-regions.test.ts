import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileLease } from "../../src/adapters/file/lease.ts";
import { leaseIn } from "../../src/adapters/kubernetes/state/turns.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Lease } from "../../src/ports/lease.ts";
import type { LeasePlace } from "../../src/ports/turns.ts";
import { kubeApi, type KubeApi } from "../fakes/kube-api.ts";
import { apiAt } from "../fakes/kube-state.ts";

// A state in a folder, and regions in two clusters.
const KEY = "production/gateway";
const times = { renewEveryMs: 50, giveUpAfterMs: 2_000, lostAfterMs: 2_500 };
const { signal } = new AbortController();
const ON = { isGoingOn: true };
const me = (run: string) => ({ run, host: "test", pid: process.pid });

let dir: string;
let clusters: Readonly<Record<"tokyo" | "frankfurt", KubeApi>>;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight-regions-"));
  clusters = { tokyo: await kubeApi(), frankfurt: await kubeApi() };
});
afterEach(async () => {
  for (const cluster of Object.values(clusters)) await cluster.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
});

/** As somebody has it whose runs are kept in a folder of this name. */
const leaseOf = (state: string): Lease => {
  const besides = (key: string): readonly LeasePlace[] =>
    Object.entries(clusters).map(([region, { url }]) => ({
      ...leaseIn({ api: apiAt(url), clock: systemClock, times }, `${key}/${region}`, false),
      region,
    }));
  return fileLease({ dir: join(dir, state), clock: systemClock, times, besides });
};

const cut = (region: "tokyo" | "frankfurt", status = 503): void => {
  for (const method of ["GET", "PATCH", "POST"])
    clusters[region].refuse({ method, kind: "leases", status, message: "gone", times: 1_000_000 });
};
const mend = (region: "tokyo" | "frankfurt"): void => clusters[region].forgive();
const epochIn = (region: "tokyo" | "frankfurt"): number =>
  Number(clusters[region].list("leases", "state")[0]?.metadata.annotations?.["midflight.dev/epoch"] ?? 0);

test("a new run begins with no region left out: it is told which one does not answer, and nothing stays taken", async () => {
  cut("frankfurt");
  await expect(leaseOf("a").acquire([KEY], me("r1"), signal)).rejects.toMatchObject({
    code: "STATE_UNREACHABLE",
    message: expect.stringMatching(/^production\/gateway cannot be held in frankfurt: the API server of state/),
    hint: expect.stringContaining("nothing was begun"),
  });
  mend("frankfurt");
  await (await leaseOf("b").acquire([KEY], me("r2"), signal)).release();
});

test.each([
  { name: "does not answer", status: 503, code: "STATE_UNREACHABLE" },
  { name: "lets nobody in", status: 401, code: "KUBERNETES_FORBIDDEN" },
])(
  "a run that has begun is held without a region that $name, and takes it there before it writes",
  async ({ status, code }) => {
    const first = await leaseOf("a").acquire([KEY], me("r1"), signal);
    await first.release();
    cut("frankfurt", status);
    const second = await leaseOf("a").acquire([KEY], me("r1"), signal, ON);
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(second.unheld).toEqual([{ key: KEY, region: "frankfurt", why: expect.stringContaining("state") as string }]);
    expect([epochIn("tokyo"), epochIn("frankfurt")]).toEqual([second.epoch, first.epoch]);
    await second.enter?.(KEY, "tokyo", signal);
    await expect(second.enter?.(KEY, "frankfurt", signal)).rejects.toMatchObject({ code });

    mend("frankfurt");
    await Promise.all([second.enter?.(KEY, "frankfurt", signal), second.enter?.(KEY, "frankfurt", signal)]);
    expect(epochIn("frankfurt")).toBe(second.epoch);
    await expect(leaseOf("b").acquire([KEY], me("r2"), signal)).rejects.toMatchObject({ code: "LEASE_HELD" });
    await second.release();
    const third = await leaseOf("b").acquire([KEY], me("r2"), signal);
    expect(third.epoch).toBeGreaterThan(second.epoch);
    await third.release();
  },
);

test("its predecessor's lease there, never given back, is followed at once", async () => {
  const first = await leaseOf("a").acquire([KEY], me("r1"), signal);
  cut("frankfurt");
  // It could give back everything but this.
  await first.release();
  const second = await leaseOf("a").acquire([KEY], me("r1"), signal, ON);
  mend("frankfurt");
  const since = performance.now();
  await second.enter?.(KEY, "frankfurt", signal);
  expect(performance.now() - since).toBeLessThan(times.lostAfterMs);
  expect(epochIn("frankfurt")).toBe(second.epoch);
  await second.release();
});

test.each([
  { name: "holds it", isGone: false },
  { name: "held it and has ended", isGone: true },
])("where somebody else $name since, nothing may be written", async ({ isGone }) => {
  const first = await leaseOf("a").acquire([KEY], me("r1"), signal);
  await first.release();
  cut("frankfurt");
  const second = await leaseOf("a").acquire([KEY], me("r1"), signal, ON);
  mend("frankfurt");
  cut("tokyo");
  const others = await leaseOf("b").acquire([KEY], me("r9"), signal, ON);
  if (isGone) await others.release();
  await expect(second.enter?.(KEY, "frankfurt", signal)).rejects.toMatchObject({
    code: "LEASE_HELD",
    message: expect.stringContaining("run r9"),
  });
  expect(second.lost.aborted).toBe(false);
  if (!isGone) await others.release();
  mend("tokyo");
  await second.release();
});

test("who is overtaken there after having entered sends nothing more", async () => {
  const first = await leaseOf("a").acquire([KEY], me("r1"), signal);
  await first.release();
  cut("frankfurt");
  const second = await leaseOf("a").acquire([KEY], me("r1"), signal, ON);
  mend("frankfurt");
  await second.enter?.(KEY, "frankfurt", signal);
  const [lease] = clusters.frankfurt.list("leases", "state");
  if (lease === undefined) throw new Error("there is no lease");
  const claim = JSON.parse(lease.metadata.annotations?.["midflight.dev/claim"] ?? "") as object;
  const annotations = { ...lease.metadata.annotations, "midflight.dev/claim": JSON.stringify({ ...claim, id: "x" }) };
  clusters.frankfurt.put("leases", "state", { ...lease, metadata: { ...lease.metadata, annotations } });
  await expect.poll(() => second.lost.aborted).toBe(true);
  expect(second.lost.reason).toMatchObject({ code: "LEASE_LOST" });
  await second.release();
});
