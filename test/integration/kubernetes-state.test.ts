import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { RunStore } from "../../src/ports/journal.ts";
import { kubeApi, type KubeApi } from "../fakes/kube-api.ts";
import { kubeLease, kubeRunStore } from "../fakes/kube-state.ts";

// Over real HTTP against a pretended API server. What both promise anywhere is in test/contract.
const { signal } = new AbortController();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function begin(): Promise<{ readonly api: KubeApi; store(): Promise<RunStore> }> {
  const api = await kubeApi();
  cleanups.push(() => api.close());
  return {
    api,
    /** A machine of its own. */
    async store() {
      const dir = await mkdtemp(join(tmpdir(), "midflight-copies-"));
      cleanups.push(() => rm(dir, { recursive: true, force: true }));
      return kubeRunStore(api.url, dir);
    },
  };
}

const partsOf = (api: KubeApi, part: string) =>
  api.list("configmaps", "state").filter(({ metadata }) => metadata.labels?.["midflight.dev/part"] === part);

/** Somebody with an editor. */
function edit(api: KubeApi, part: string, change: (data: Record<string, string>) => void): void {
  const [found] = partsOf(api, part);
  if (found === undefined) throw new Error(`there is no ${part}`);
  const data = { ...found.data };
  change(data);
  api.put("configmaps", "state", { ...found, data });
}

async function withRecords(store: RunStore, count: number): Promise<void> {
  const journal = await store.create("r1");
  for (let at = 1; at <= count; at += 1) await journal.append({ at });
  await journal.close();
}

describe("a journal in Kubernetes", () => {
  test("is gone on with from another machine, with the files that lie beside it", async () => {
    const { store } = await begin();
    const here = await store();
    const journal = await here.create("r1");
    await journal.append({ at: 1 });
    await here.putFile("r1", "input/plan.yaml", "midflight: 1");
    expect(await readFile(here.pathOf("r1", "input/plan.yaml"), "utf8")).toBe("midflight: 1");
    const there = await store();
    const again = await there.open("r1");
    expect((await again.append({ at: 2 })).seq).toBe(2);
    expect(await readFile(join(await there.folder("r1"), "input", "plan.yaml"), "utf8")).toBe("midflight: 1");
    expect((await here.read("r1")).map(({ at }) => at)).toEqual([1, 2]);
  });

  test("is kept in objects of at most 256 KiB each, and read in order", async () => {
    const { api, store } = await begin();
    const journal = await (await store()).create("r1");
    for (let at = 1; at <= 12; at += 1) await journal.append({ at, text: "x".repeat(60_000) });
    const sizes = partsOf(api, "journal").map(({ data }) => Object.values(data ?? {}).join("").length);
    expect(sizes.length).toBe(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1_024);
    const again = await (await store()).open("r1");
    expect(again.records.map(({ at }) => at)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect((await again.append({ at: 13 })).seq).toBe(13);
  });

  test("takes a record that is larger than that by itself, and refuses one that no object holds", async () => {
    const { store } = await begin();
    const journal = await (await store()).create("r1");
    await journal.append({ text: "x".repeat(400_000) });
    await journal.append({ text: "small" });
    expect(await (await store()).read("r1")).toHaveLength(2);
    await expect(journal.append({ text: "x".repeat(1_100_000) })).rejects.toMatchObject({
      code: "JOURNAL_WRITE_FAILED",
      message: expect.stringContaining("record 3"),
      hint: expect.stringContaining("--state"),
    });
  });

  test.each([
    {
      name: "whose record was edited",
      change: (api: KubeApi) =>
        edit(api, "journal", (data) => {
          data["00000002"] = (data["00000002"] ?? "").replace('"at":2', '"at":7');
        }),
      says: /line 2 of configmaps\/midflight-run-r1-\S+ in namespace state of state is damaged/,
    },
    {
      name: "whose last record was taken out",
      change: (api: KubeApi) => edit(api, "journal", (data) => void delete data["00000003"]),
      says: /line 3 of .*the anchor vouches for 3 lines/,
    },
    {
      name: "whose journal object was deleted",
      change: (api: KubeApi) => {
        for (const { metadata } of partsOf(api, "journal")) api.remove("configmaps", "state", metadata.name);
      },
      says: /line 1 of .*the anchor vouches for 3 lines/,
    },
    {
      name: "whose last record holds what no JSON holds",
      change: (api: KubeApi) =>
        edit(api, "journal", (data) => {
          data["00000004"] = '{"seq":4\0';
        }),
      says: /record 4 of .*keeps a record whole or not at all/,
    },
    {
      name: "whose head does not say where it ends",
      change: (api: KubeApi) => edit(api, "head", (data) => void delete data["hash"]),
      says: /does not say where the journal ends/,
    },
  ])("$name is refused, and nothing is repaired", async ({ change, says }) => {
    const { api, store } = await begin();
    await withRecords(await store(), 3);
    change(api);
    const before = api.list("configmaps", "state");
    const refusal = { code: "JOURNAL_CORRUPT", message: expect.stringMatching(says) as string };
    await expect((await store()).read("r1")).rejects.toMatchObject(refusal);
    await expect((await store()).open("r1")).rejects.toMatchObject(refusal);
    expect(api.list("configmaps", "state")).toEqual(before);
  });

  test("of a later format is refused as such", async () => {
    const { api, store } = await begin();
    await withRecords(await store(), 1);
    edit(api, "journal", (data) => {
      data["00000001"] = (data["00000001"] ?? "").replace('"format":1', '"format":2');
    });
    await expect((await store()).open("r1")).rejects.toMatchObject({ code: "JOURNAL_VERSION" });
  });

  test("is written by one: whoever was overtaken loses here as well as at the lease", async () => {
    const { store } = await begin();
    const first = await (await store()).create("r1");
    await first.append({ at: 1 });
    const second = await (await store()).open("r1");
    await second.append({ at: 2 });
    const refusal = {
      code: "JOURNAL_WRITE_FAILED",
      message: expect.stringContaining("somebody else changed"),
      hint: expect.stringContaining("midflight status"),
    };
    await expect(first.append({ at: 3 })).rejects.toMatchObject(refusal);
    await expect(first.append({ at: 4 })).rejects.toMatchObject(refusal);
    expect((await second.append({ at: 5 })).seq).toBe(3);
  });

  test("keeps a record once whose answer was lost on the way", async () => {
    const { api, store } = await begin();
    const journal = await (await store()).create("r1");
    // The first record makes an object, the second changes it, and each moves the head.
    api.lose("POST", "configmaps");
    expect((await journal.append({ at: 1 })).seq).toBe(1);
    api.lose("PATCH", "configmaps");
    expect((await journal.append({ at: 2 })).seq).toBe(2);
    expect((await journal.append({ at: 3 })).seq).toBe(3);
    expect((await (await store()).read("r1")).map(({ at }) => at)).toEqual([1, 2, 3]);
  });

  test("waits for an API server that does not answer for a moment", async () => {
    const { api, store } = await begin();
    const journal = await (await store()).create("r1");
    await journal.append({ at: 1 });
    api.refuse({ method: "PATCH", kind: "configmaps", status: 503, message: "etcd has no leader", times: 3 });
    expect((await journal.append({ at: 2 })).seq).toBe(2);
  });

  test("stops for ever where a right is missing, and names the rule to add", async () => {
    const { api, store } = await begin();
    const journal = await (await store()).create("r1");
    await journal.append({ at: 1 });
    api.refuse({ method: "PATCH", kind: "configmaps", status: 403, message: "forbidden", times: 1 });
    const refusal = {
      code: "JOURNAL_WRITE_FAILED",
      hint: expect.stringContaining('resources: ["configmaps"], verbs: ["patch"]'),
    };
    await expect(journal.append({ at: 2 })).rejects.toMatchObject(refusal);
    await expect(journal.append({ at: 2 })).rejects.toMatchObject(refusal);
  });

  test("whose writer died between the record and the head goes on behind that record", async () => {
    const { api, store } = await begin();
    const journal = await (await store()).create("r1");
    // The first record makes an object; the patch that follows is the head's.
    api.refuse({ method: "PATCH", kind: "configmaps", status: 403, message: "forbidden", times: 1 });
    await expect(journal.append({ at: 1 })).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
    const again = await (await store()).open("r1");
    expect(again.records.map(({ at }) => at)).toEqual([1]);
    expect(partsOf(api, "head")[0]?.data?.["seq"]).toBe("1");
    expect((await again.append({ at: 2 })).seq).toBe(2);
  });

  test("and its files are gone when the run is pruned, and nobody else's", async () => {
    const { api, store } = await begin();
    const one = await store();
    await withRecords(one, 2);
    await one.putFile("r1", "before.json", "{}");
    await (await one.create("r2")).close();
    api.put("configmaps", "state", { metadata: { name: "not-ours" }, data: { a: "b" } });
    await one.remove("r1");
    expect(await one.list()).toEqual(["r2"]);
    expect(api.list("configmaps", "state").map(({ metadata }) => metadata.name)).toEqual([
      expect.stringMatching(/^midflight-run-r2-/),
      "not-ours",
    ]);
  });

  test("has a mailbox that is heard by a watch, and not asked for again and again", async () => {
    const { api, store } = await begin();
    const one = await store();
    await (await one.create("r1")).close();
    const stop = new AbortController();
    const heard: (string | undefined)[] = [];
    one.watchFile("r1", "mailbox.json", (text) => heard.push(text), stop.signal);
    await expect.poll(() => api.asked.at(-1)).toBe("WATCH configmaps");
    const asked = api.asked.length;
    await (await store()).putFile("r1", "mailbox.json", "an order");
    await expect.poll(() => heard).toEqual([undefined, "an order"]);
    expect(api.asked.slice(asked).map((line) => line.split("/")[0])).toEqual([
      "GET configmaps",
      "PATCH configmaps",
      "POST configmaps",
    ]);
    stop.abort();
  });
});

describe("a lease in Kubernetes", () => {
  const KEY = "production/gateway";
  const times = { renewEveryMs: 100, giveUpAfterMs: 800, lostAfterMs: 1_000 };
  const me = (run: string) => ({ run, host: "test", pid: process.pid });

  test("says in the cluster who holds it, since when, and in which epoch", async () => {
    const { api } = await begin();
    const held = await kubeLease(api.url).acquire([KEY], me("r1"), signal);
    const [lease] = api.list("leases", "state");
    expect(lease?.metadata.name).toMatch(/^midflight-production-gateway-[0-9a-f]{12}$/);
    expect(lease?.metadata.annotations?.["midflight.dev/epoch"]).toBe("1");
    expect(lease?.spec).toMatchObject({ holderIdentity: "r1@test", leaseTransitions: 1, leaseDurationSeconds: 15 });
    expect(lease?.spec?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    await held.release();
    expect(api.list("leases", "state")[0]?.spec?.holderIdentity).toBeUndefined();
  });

  test("is renewed, and nobody else takes it meanwhile", async () => {
    const { api } = await begin();
    const held = await kubeLease(api.url, { machine: "A", times }).acquire([KEY], me("r1"), signal);
    await expect(kubeLease(api.url, { machine: "B", times }).acquire([KEY], me("r2"), signal)).rejects.toMatchObject({
      code: "LEASE_HELD",
      message: expect.stringContaining("held by run r1"),
    });
    expect(held.lost.aborted).toBe(false);
    await held.release();
  });

  test("of a conductor whose writes do not arrive any more is lost in time", async () => {
    const { api } = await begin();
    const first = await kubeLease(api.url, { machine: "A", times }).acquire([KEY], me("r1"), signal);
    api.refuse({ method: "PATCH", kind: "leases", status: 503, message: "down", times: 1_000 });
    await expect.poll(() => first.lost.aborted, { timeout: 5_000 }).toBe(true);
    expect(first.lost.reason).toMatchObject({ code: "LEASE_LOST", message: expect.stringContaining("not renewed") });
  });

  test("in a region that cannot be reached stops no conductor, until another one has taken it there", async () => {
    const { api } = await begin();
    const first = await kubeLease(api.url, { machine: "A", times, isVital: false }).acquire([KEY], me("r1"), signal);
    const asked = (): number => api.asked.filter((one) => one.startsWith("GET leases/")).length;
    // Its heartbeat does not arrive for longer than it may be silent elsewhere.
    api.refuse({ method: "PATCH", kind: "leases", status: 503, message: "down", times: 12 });
    const before = asked();
    await expect.poll(() => asked() - before, { timeout: 5_000 }).toBeGreaterThan(10);
    expect(first.lost.aborted).toBe(false);
    const [lease] = api.list("leases", "state");
    if (lease === undefined) throw new Error("there is no lease");
    const claim = { ...JSON.parse(lease.metadata.annotations?.["midflight.dev/claim"] ?? "{}"), id: "another" };
    api.put("leases", "state", {
      ...lease,
      metadata: {
        ...lease.metadata,
        annotations: { ...lease.metadata.annotations, "midflight.dev/claim": JSON.stringify(claim) },
      },
    });
    await expect.poll(() => first.lost.aborted, { timeout: 5_000 }).toBe(true);
    expect(first.lost.reason).toMatchObject({ code: "LEASE_LOST", message: expect.stringContaining("taken over") });
    await first.release();
    expect(JSON.parse(api.list("leases", "state")[0]?.metadata.annotations?.["midflight.dev/claim"] ?? "{}")).toEqual(
      claim,
    );
  });

  test("of a conductor that fell silent long ago elsewhere is nobody's to whoever looks, and is watched before it is taken", async () => {
    const { api } = await begin();
    const first = await kubeLease(api.url, { machine: "A", times }).acquire([KEY], me("r1"), signal);
    expect(await kubeLease(api.url, { machine: "B", times }).holder(KEY)).toMatchObject({ run: "r1" });
    api.refuse({ method: "PATCH", kind: "leases", status: 503, message: "down", times: 1_000 });
    await expect.poll(() => first.lost.aborted, { timeout: 5_000 }).toBe(true);
    const [lease] = api.list("leases", "state");
    if (lease === undefined) throw new Error("there is no lease");
    api.put("leases", "state", { ...lease, spec: { ...lease.spec, renewTime: "2020-01-01T00:00:00.000000Z" } });
    expect(await kubeLease(api.url, { machine: "B", times }).holder(KEY)).toBeUndefined();
    const started = performance.now();
    await expect(kubeLease(api.url, { machine: "B", times }).acquire([KEY], me("r2"), signal)).rejects.toThrow("down");
    expect(performance.now() - started).toBeGreaterThanOrEqual(times.lostAfterMs - 5);
  });

  test("is taken once also when the answer to the taking was lost", async () => {
    const { api } = await begin();
    api.lose("POST", "leases");
    const first = await kubeLease(api.url).acquire([KEY], me("r1"), signal);
    await first.release();
    expect(await kubeLease(api.url).holder(KEY)).toBeUndefined();
  });

  test("that was edited is refused, because a lower epoch would be refused by everything", async () => {
    const { api } = await begin();
    await (await kubeLease(api.url).acquire([KEY], me("r1"), signal)).release();
    const [lease] = api.list("leases", "state");
    if (lease === undefined) throw new Error("there is no lease");
    api.put("leases", "state", { ...lease, metadata: { ...lease.metadata, annotations: {} } });
    await expect(kubeLease(api.url).acquire([KEY], me("r2"), signal)).rejects.toMatchObject({
      code: "LEASE_CORRUPT",
      message: expect.stringContaining("leases/midflight-production-gateway-"),
    });
  });

  test.each([
    { status: 403, code: "KUBERNETES_FORBIDDEN", hint: 'resources: ["leases"], verbs: ["create"]' },
    { status: 503, code: "STATE_UNREACHABLE", hint: "kubectl" },
    { status: 404, code: "KUBERNETES_NOT_FOUND", hint: "namespace" },
  ])("that cannot be made ($status) is said to be so", async ({ status, code, hint }) => {
    const { api } = await begin();
    api.refuse({ method: "POST", kind: "leases", status, message: "no" });
    await expect(kubeLease(api.url).acquire([KEY], me("r1"), signal)).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(hint),
    });
  });
});
