import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { processEstate } from "../../src/adapters/process/estate.ts";
import { markedProcesses, startOf } from "../../src/adapters/process/identity.ts";
import { openRegistry, unfenced, type InstanceRecord } from "../../src/adapters/process/registry.ts";
import { processTraffic } from "../../src/adapters/process/traffic.ts";
import { processWorkload } from "../../src/adapters/process/workload.ts";
import type { ProcessComponent } from "../../src/plan/model.ts";
import type { Shape } from "../../src/ports/workload.ts";
import { processPlace, type Conduct, type ProcessPlace } from "../fakes/process-place.ts";

const { signal } = new AbortController();
const at = (seq: number, epoch = 1) => ({ epoch, seq });
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function place(conduct: Conduct = {}, more: Partial<ProcessComponent> = {}): Promise<ProcessPlace> {
  const made = await processPlace({ "gateway@1.0": {}, "gateway@2.0": conduct }, more);
  cleanups.push(made.close);
  return made;
}

const shapeOf = (
  one: ProcessPlace,
  counts: Readonly<Record<string, number>>,
  drain = { noticeMs: 20, deadlineMs: 1_000 },
): Shape => ({
  releases: Object.entries(counts).map(([release, count]) => ({ release, digest: one.digest(release), count })),
  drain,
});
const recordsOf = (one: ProcessPlace) => openRegistry(one.options.stateDir, "gateway").list("tokyo");
const backendsOf = async (
  one: ProcessPlace,
): Promise<readonly { readonly id: string; readonly address: string; readonly weight: number }[]> =>
  (
    (await (await fetch(`${one.adminOf("tokyo")}/backends`)).json()) as {
      backends: { id: string; address: string; weight: number }[];
    }
  ).backends;
const running = async (one: ProcessPlace): Promise<readonly string[]> =>
  (await markedProcesses(openRegistry(one.options.stateDir, "gateway").dir)).map(({ id }) => id).toSorted();

/** A midflight of its own, that can be killed. */
function elsewhere(
  one: ProcessPlace,
  order: object,
  user?: { readonly uid: number; readonly gid: number },
): { readonly child: ChildProcess; said(): string; readonly ended: Promise<unknown> } {
  const script = fileURLToPath(new URL("./processes/shape-instances.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"], ...user });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.end(JSON.stringify({ options: one.options, region: "tokyo", ...order }));
  cleanups.push(async () => void child.kill("SIGKILL"));
  return { child, said: () => said, ended: once(child, "close") };
}

test("killed at any moment while it starts and stops, the next one brings the region into shape and leaves nothing over", async () => {
  const one = await place({ holdsSocket: true });
  const workload = processWorkload(one.options);
  const wanted = [
    shapeOf(one, { "gateway@1.0": 3, "gateway@2.0": 0 }),
    shapeOf(one, { "gateway@1.0": 0, "gateway@2.0": 3 }, { noticeMs: 100, deadlineMs: 1_000 }),
  ];
  for (let turn = 0; turn < 12; turn += 1) {
    const midflight = elsewhere(one, { shape: wanted[turn % 2], fence: at(turn + 1) });
    await expect.poll(midflight.said, { interval: 5 }).toContain("begun");
    await new Promise((resolve) => setTimeout(resolve, 15 + turn * 45));
    midflight.child.kill("SIGKILL");
    await midflight.ended;
    if (turn % 3 === 2) continue;
    const { instances } = await workload.shape("tokyo", wanted[turn % 2] ?? wanted[0]!, at(turn + 1), signal);
    expect(instances.map(({ ready, ordinal }) => [ready, ordinal])).toEqual([
      [true, 1],
      [true, 2],
      [true, 3],
    ]);
    expect(await running(one)).toEqual(instances.map(({ id }) => id).toSorted());
    expect((await backendsOf(one)).map(({ id, address }) => `${id} ${address}`).toSorted()).toEqual(
      instances.map(({ id, address }) => `${id} ${address}`).toSorted(),
    );
  }
}, 60_000);

test("of two at once the later order wins, and the earlier starts and stops nothing more", async () => {
  const one = await place();
  for (let turn = 0; turn < 4; turn += 1) {
    const early = elsewhere(one, {
      shape: shapeOf(one, { "gateway@1.0": 3, "gateway@2.0": 0 }),
      fence: at(1, 2 * turn + 1),
    });
    const late = elsewhere(one, {
      shape: shapeOf(one, { "gateway@1.0": 0, "gateway@2.0": 2 }),
      fence: at(1, 2 * turn + 2),
    });
    await Promise.all([early.ended, late.ended]);
    expect(early.said()).toMatch(/begun\n(FENCED|done|FOREIGN)/);
    const { instances } = await processWorkload(one.options).shape(
      "tokyo",
      shapeOf(one, { "gateway@1.0": 0, "gateway@2.0": 2 }),
      at(1, 2 * turn + 2),
      signal,
    );
    expect(instances.map(({ release, ready }) => [release, ready])).toEqual([
      ["gateway@2.0", true],
      ["gateway@2.0", true],
    ]);
    expect(await running(one)).toEqual(instances.map(({ id }) => id).toSorted());
    await processWorkload(one.options).shape(
      "tokyo",
      shapeOf(one, { "gateway@1.0": 0, "gateway@2.0": 0 }),
      at(1, 2 * turn + 2),
      signal,
    );
  }
}, 60_000);

test("a midflight that stood still while another took over changes nothing when it goes on", async () => {
  const one = await place();
  const fresh = shapeOf(one, { "gateway@1.0": 0, "gateway@2.0": 2 });
  for (let turn = 0; turn < 6; turn += 1) {
    const still = elsewhere(one, {
      shape: shapeOf(one, { "gateway@1.0": 3, "gateway@2.0": 0 }),
      fence: at(1, 2 * turn + 1),
    });
    await expect.poll(still.said, { interval: 5 }).toContain("begun");
    await new Promise((resolve) => setTimeout(resolve, 10 + turn * 30));
    still.child.kill("SIGSTOP");
    await processWorkload(one.options).shape("tokyo", fresh, at(1, 2 * turn + 2), signal);
    const before = await processWorkload(one.options).observe("tokyo", signal);
    const [processes, backends] = [await running(one), await backendsOf(one)];
    still.child.kill("SIGCONT");
    await still.ended;
    expect(still.said()).toMatch(/begun\n(FENCED|done)/);
    expect(await processWorkload(one.options).observe("tokyo", signal)).toEqual(before);
    expect(await running(one)).toEqual(processes);
    expect(await backendsOf(one)).toEqual(backends);
  }
}, 60_000);

test("an instance whose starter died before it could note its pid is found by its mark", async () => {
  const one = await place();
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  const [record] = await recordsOf(one);
  if (record === undefined) throw new Error("nothing was recorded");
  const { process: known, ...unspawned } = record;
  await openRegistry(one.options.stateDir, "gateway").put({ ...unspawned, stage: "starting" }, unfenced);
  expect((await workload.observe("tokyo", signal)).instances.map(({ ready }) => ready)).toEqual([true]);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(2), signal);
  expect((await recordsOf(one)).map((again) => [again.stage, again.process])).toEqual([["running", known]]);
});

test("instances outlive the midflight that started them, and the next one recognises them", async () => {
  const one = await place();
  const midflight = elsewhere(one, { shape: shapeOf(one, { "gateway@1.0": 2 }), fence: at(1) });
  await midflight.ended;
  expect(midflight.said()).toBe("begun\ndone\n");
  const pids = (await recordsOf(one)).map((record) => record.process?.pid);
  const { instances } = await processWorkload(one.options).shape(
    "tokyo",
    shapeOf(one, { "gateway@1.0": 2 }),
    at(2),
    signal,
  );
  expect(instances.map(({ ready }) => ready)).toEqual([true, true]);
  expect((await recordsOf(one)).map((record) => record.process?.pid)).toEqual(pids);
  expect(await processEstate(one.options).pids("tokyo")).toEqual(pids);
});

const canRaise = process.platform === "linux" && process.getuid?.() === 0;

test.runIf(canRaise)(
  "an instance that starts comes after those that serve, and is their equal when it is ready",
  async () => {
    const one = await place({ neverReady: true }, { readyDeadlineMs: 2_000 });
    const workload = processWorkload(one.options);
    const own = getPriority();
    await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
    expect(await prioritiesOf(one, "gateway@1.0")).toEqual([own]);

    const failed = workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1, "gateway@2.0": 1 }), at(2), signal);
    failed.catch(() => undefined);
    await expect.poll(() => prioritiesOf(one, "gateway@2.0")).toEqual([own + 10]);
    expect(await prioritiesOf(one, "gateway@1.0")).toEqual([own]);
    await expect(failed).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
  },
);

/** Every priority that a thread of a release's instances has, each once. */
async function prioritiesOf(one: ProcessPlace, release: string): Promise<readonly number[]> {
  const pids = (await recordsOf(one)).flatMap((record) =>
    record.release === release && record.process !== undefined ? [record.process.pid] : [],
  );
  const threads = await Promise.all(pids.map((pid) => readdir(`/proc/${pid}/task`)));
  return [...new Set(threads.flat().map((thread) => getPriority(Number(thread))))];
}

test("a user who is not root starts and stops instances of their own", async ({ skip }) => {
  if (process.getuid?.() !== 0) return skip("only root can become somebody else");
  const one = await place();
  const nobody = { uid: 65_534, gid: 65_534 };
  await mkdir(one.options.stateDir);
  await chmod(one.dir, 0o755);
  execFileSync("chown", ["65534:65534", one.options.stateDir]);
  const up = elsewhere(one, { shape: shapeOf(one, { "gateway@1.0": 1 }), fence: at(1) }, nobody);
  await up.ended;
  expect(up.said()).toBe("begun\ndone\n");
  const down = elsewhere(one, { shape: shapeOf(one, { "gateway@1.0": 0 }), fence: at(2) }, nobody);
  await down.ended;
  expect(down.said()).toBe("begun\ndone\n");
  expect(await running(one)).toEqual([]);
});

test("a state folder that this user may not write is named, and nothing is started", async ({ skip }) => {
  if (process.getuid?.() !== 0) return skip("only root can become somebody else");
  const one = await place();
  await mkdir(one.options.stateDir, { mode: 0o755 });
  await chmod(one.dir, 0o755);
  const midflight = elsewhere(
    one,
    { shape: shapeOf(one, { "gateway@1.0": 1 }), fence: at(1) },
    { uid: 65_534, gid: 65_534 },
  );
  await midflight.ended;
  expect(midflight.said()).toMatch(/STATE_UNWRITABLE .*cannot write .* as uid 65534: permission denied \(EACCES\)/);
  expect(await running(one)).toEqual([]);
});

test("a full disk is one clear sentence, and no process that nobody knows of", async ({ skip }) => {
  const one = await place();
  await mkdir(one.options.stateDir);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "midflight-test", one.options.stateDir], {
      stdio: "ignore",
    });
  } catch {
    return skip("this user may not mount a disk");
  }
  cleanups.push(async () => {
    await processEstate(one.options).stop();
    execFileSync("umount", [one.options.stateDir]);
  });
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  await writeFile(join(one.options.stateDir, "fill"), "x".repeat(60_000)).catch(() => {});
  await writeFile(join(one.options.stateDir, "more"), "x".repeat(4_000)).catch(() => {});
  const refusal = {
    code: "STATE_UNWRITABLE",
    message: expect.stringContaining("the disk is full (ENOSPC)"),
    hint: expect.stringContaining("make room"),
  };
  await expect(workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 3 }), at(1), signal)).rejects.toMatchObject(
    refusal,
  );
  expect(await running(one)).toEqual(
    (await recordsOf(one)).filter((record) => record.process !== undefined).map(({ id }) => id),
  );
  await rm(join(one.options.stateDir, "fill"), { force: true });
  await rm(join(one.options.stateDir, "more"), { force: true });
  expect(
    (await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 3 }), at(2), signal)).instances.map(
      ({ ready }) => ready,
    ),
  ).toEqual([true, true, true]);
});

test.each(["in its group", "in another group"] as const)(
  "a program that ignores SIGTERM is killed after its deadline, with what it started %s",
  async (hasChild) => {
    const one = await place({ ignoresTerm: true, hasChild }, { stopDeadlineMs: 300 });
    const workload = processWorkload(one.options);
    await workload.shape("tokyo", shapeOf(one, { "gateway@2.0": 1 }), at(1), signal);
    expect(await running(one)).toHaveLength(2);
    const started = performance.now();
    await workload.shape("tokyo", shapeOf(one, { "gateway@2.0": 0 }), at(2), signal);
    expect(performance.now() - started).toBeGreaterThan(300);
    expect(await running(one)).toEqual([]);
    expect(await recordsOf(one)).toEqual([]);
  },
);

test("what a dead instance left running is ended before it comes back", async () => {
  const one = await place({ hasChild: "in its group" });
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@2.0": 1 }), at(1), signal);
  const before = await markedProcesses(openRegistry(one.options.stateDir, "gateway").dir);
  process.kill(before.find(({ isLeader }) => isLeader)?.pid ?? 0, "SIGKILL");
  await workload.shape("tokyo", shapeOf(one, { "gateway@2.0": 1 }), at(2), signal);
  const after = await markedProcesses(openRegistry(one.options.stateDir, "gateway").dir);
  expect(after).toHaveLength(2);
  expect(after.filter(({ pid }) => before.some((known) => known.pid === pid))).toEqual([]);
});

test("a program that ends at once is told of with its last lines and its log", async () => {
  const one = await place({ exits: { status: 3, says: "the metadata lacks a table: price_bands" } });
  const shaping = processWorkload(one.options).shape("tokyo", shapeOf(one, { "gateway@2.0": 1 }), at(1), signal);
  await expect(shaping).rejects.toMatchObject({
    code: "INSTANCE_NOT_READY",
    message: expect.stringMatching(
      /gateway-tokyo-2\.0-1-[0-9a-f]{6}: it ended with status 3 before it was ready; its last lines:\nthe metadata lacks a table: price_bands/,
    ),
    hint: expect.stringContaining(join("logs", "gateway", "tokyo")),
  });
});

test("a port that somebody took is given up, and the balancer learns the new one", async () => {
  const one = await place();
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  const [record] = await recordsOf(one);
  process.kill(record?.process?.pid ?? 0, "SIGKILL");
  // It even answers as if it were ready.
  const squatter = createServer((_request, response) => response.end("{}"));
  await expect
    .poll(
      () =>
        new Promise((resolve) =>
          squatter.once("error", resolve).listen(record?.port, "127.0.0.1", () => resolve("listening")),
        ),
    )
    .toBe("listening");
  cleanups.push(async () => squatter.close() && squatter.closeAllConnections());
  const { instances } = await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(2), signal);
  expect(instances.map(({ id, ready }) => [id, ready])).toEqual([[record?.id, true]]);
  expect(instances[0]?.address).not.toBe(`127.0.0.1:${record?.port}`);
  expect((await backendsOf(one)).map(({ address }) => address)).toEqual([instances[0]?.address]);
});

test("a program that finds its port taken every time is given a few others, then told of", async () => {
  const one = await place({ exits: { status: 1, says: "Error: listen EADDRINUSE: address already in use" } });
  const shaping = processWorkload(one.options).shape("tokyo", shapeOf(one, { "gateway@2.0": 1 }), at(1), signal);
  await expect(shaping).rejects.toMatchObject({
    code: "INSTANCE_NOT_READY",
    message: expect.stringContaining("EADDRINUSE"),
  });
});

test("a release that was changed after it was certified is not started", async () => {
  const one = await place();
  await writeFile(join(one.dir, "releases", "gateway@2.0", "conduct.json"), "{}");
  const shaping = processWorkload(one.options).shape("tokyo", shapeOf(one, { "gateway@2.0": 1 }), at(1), signal);
  await expect(shaping).rejects.toMatchObject({
    code: "RELEASE_DIGEST_MISMATCH",
    message: expect.stringContaining(one.digest("gateway@2.0")),
  });
  expect(await recordsOf(one)).toEqual([]);
});

test("an old release that releases.yaml no longer names is started again from its record", async () => {
  const one = await place();
  await processWorkload(one.options).shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  const forgetful = processWorkload({ ...one.options, releases: {} });
  expect((await forgetful.shape("tokyo", shapeOf(one, { "gateway@1.0": 2 }), at(2), signal)).instances).toHaveLength(2);
  await expect(
    forgetful.shape("tokyo", shapeOf(one, { "gateway@1.0": 2, "gateway@2.0": 1 }), at(3), signal),
  ).rejects.toMatchObject({ code: "RELEASE_DIGEST_MISMATCH", message: expect.stringContaining("does not name it") });
});

test("an instance sees its own environment, and none of midflight's secrets", async () => {
  const one = await place();
  process.env["MIDFLIGHT_TEST_SECRET"] = "s3cr3t";
  cleanups.push(async () => void delete process.env["MIDFLIGHT_TEST_SECRET"]);
  const { instances } = await processWorkload(one.options).shape(
    "tokyo",
    shapeOf(one, { "gateway@1.0": 1 }),
    at(1),
    signal,
  );
  const env = (await (await fetch(`http://${instances[0]?.address}/env`)).json()) as Record<string, string>;
  expect(env).toMatchObject({
    GREETING: "hello",
    MIDFLIGHT_INSTANCE: instances[0]?.id,
    MIDFLIGHT_RELEASE: "gateway@1.0",
    MIDFLIGHT_REGION: "tokyo",
  });
  expect(env["MIDFLIGHT_TEST_SECRET"]).toBeUndefined();
});

test("a process that only has the number of a recorded one is never touched", async () => {
  const one = await place();
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  const [record] = await recordsOf(one);
  if (record?.process === undefined) throw new Error("nothing was recorded");
  process.kill(record.process.pid, "SIGKILL");
  const bystander = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { detached: true, stdio: "ignore" });
  cleanups.push(async () => void bystander.kill("SIGKILL"));
  await once(bystander, "spawn");
  const registry = openRegistry(one.options.stateDir, "gateway");
  for (const start of [record.process.start, (await startOf(bystander.pid ?? 0)) ?? ""]) {
    await registry.put({ ...record, process: { pid: bystander.pid ?? 0, start } }, unfenced);
    expect((await workload.observe("tokyo", signal)).instances.map(({ ready }) => ready)).toEqual([false]);
  }
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 0 }), at(2), signal);
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  expect(await recordsOf(one)).toEqual([]);
});

test("an instance leaves when its last socket is closed, or when its time is over", async () => {
  const one = await processPlace({ "gateway@1.0": { holdsSocket: true }, "gateway@2.0": { inflight: 1 } });
  cleanups.push(one.close);
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1, "gateway@2.0": 1 }), at(1), signal);
  const polite = performance.now();
  await workload.shape(
    "tokyo",
    shapeOf(one, { "gateway@1.0": 0, "gateway@2.0": 1 }, { noticeMs: 400, deadlineMs: 30_000 }),
    at(2),
    signal,
  );
  expect(performance.now() - polite).toBeGreaterThan(390);
  expect(performance.now() - polite).toBeLessThan(5_000);
  const stuck = performance.now();
  await workload.shape("tokyo", shapeOf(one, { "gateway@2.0": 0 }, { noticeMs: 100, deadlineMs: 300 }), at(3), signal);
  expect(performance.now() - stuck).toBeGreaterThan(390);
  expect(await running(one)).toEqual([]);
});

test("an instance that was leaving and is needed again stays, and says so", async () => {
  const stuck = await processPlace({ "gateway@1.0": { inflight: 1 } });
  cleanups.push(stuck.close);
  const options = stuck.options;
  const shaping = processWorkload(options);
  const { instances } = await shaping.shape("tokyo", shapeOf(stuck, { "gateway@1.0": 2 }), at(1), signal);
  await processTraffic(options).weigh(
    "tokyo",
    [{ digest: stuck.digest("gateway@1.0"), admitted: 2, weightPct: 100 }],
    at(2),
    signal,
  );
  const change = new AbortController();
  const leaving = shaping.shape(
    "tokyo",
    shapeOf(stuck, { "gateway@1.0": 1 }, { noticeMs: 10_000, deadlineMs: 10_000 }),
    at(3),
    change.signal,
  );
  const seen = async () => (await fetch(`http://${instances[1]?.address}/seen`)).json();
  await expect.poll(seen).toEqual(["drain 10000"]);
  change.abort(new Error("changed my mind"));
  await expect(leaving).rejects.toThrow("changed my mind");
  expect((await shaping.observe("tokyo", signal)).instances.map(({ ready, weightPct }) => [ready, weightPct])).toEqual([
    [true, 100],
    [false, 0],
  ]);
  const back = await shaping.shape("tokyo", shapeOf(stuck, { "gateway@1.0": 2 }), at(4), signal);
  expect(back.instances.map(({ address, ready, weightPct }) => [address, ready, weightPct])).toEqual([
    [instances[0]?.address, true, 100],
    [instances[1]?.address, true, 0],
  ]);
  expect(await seen()).toEqual(["drain 10000", "undrain"]);
});

test("a backend that nobody recorded is shown as a stranger, and stops the run", async () => {
  const one = await place();
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  await fetch(`${one.adminOf("tokyo")}/backends/stranger`, {
    method: "PUT",
    headers: { "x-midflight-fence": "1.1" },
    body: JSON.stringify({ address: "127.0.0.1:1", release: "9.9", weight: 30 }),
  });
  expect((await workload.observe("tokyo", signal)).instances.at(-1)).toEqual({
    id: "stranger",
    release: "9.9",
    digest: "?",
    ordinal: 1,
    ready: false,
    weightPct: 30,
    address: "127.0.0.1:1",
  });
  await expect(workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 2 }), at(2), signal)).rejects.toMatchObject({
    code: "FOREIGN_CHANGE",
    message: expect.stringContaining("stranger at 127.0.0.1:1"),
  });
});

test("an instance that is recorded while somebody looks is no stranger", async () => {
  const one = await place();
  const record: InstanceRecord = {
    format: 1,
    id: "gateway-tokyo-1.0-1",
    component: "gateway",
    region: "tokyo",
    release: "gateway@1.0",
    digest: one.digest("gateway@1.0"),
    ordinal: 1,
    stage: "running",
    port: 1,
    startedAt: 0,
    path: one.dir,
    run: ["node"],
  };
  const registry = openRegistry(one.options.stateDir, "gateway");
  const balancer = createServer((_request, response) => {
    void registry.put(record, unfenced).then(() =>
      response.end(
        JSON.stringify({
          fence: { epoch: 0, seq: 0 },
          backends: [{ id: record.id, address: "127.0.0.1:1", release: "1.0", weight: 0, inflight: 0, sockets: 0 }],
        }),
      ),
    );
  });
  await new Promise<void>((resolve) => balancer.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => balancer.close() && balancer.closeAllConnections());
  const admin = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}`;
  const { instances } = await processWorkload({
    ...one.options,
    config: { ...one.options.config, balancer: { tokyo: admin } },
  }).observe("tokyo", signal);
  expect(instances.map(({ digest }) => digest)).toEqual([record.digest]);
});

test("after a power cut instances come back where they were, with the weight they had", async () => {
  const one = await place();
  const estate = processEstate(one.options);
  await estate.bringUp(["tokyo", "frankfurt"], { release: "gateway@1.0", digest: one.digest("gateway@1.0"), count: 2 });
  const before = await processWorkload(one.options).observe("tokyo", signal);
  expect(before.instances.map(({ ready, weightPct }) => [ready, weightPct])).toEqual([
    [true, 100],
    [true, 100],
  ]);
  for (const pid of await estate.pids("tokyo")) process.kill(pid, "SIGKILL");
  await expect.poll(() => estate.pids("tokyo")).toEqual([]);
  expect(
    (await processWorkload(one.options).observe("tokyo", signal)).instances.map(({ ready, weightPct }) => [
      ready,
      weightPct,
    ]),
  ).toEqual([
    [false, 100],
    [false, 100],
  ]);
  await estate.restore("tokyo");
  expect(await processWorkload(one.options).observe("tokyo", signal)).toEqual(before);
  await estate.stop();
  expect(await running(one)).toEqual([]);
  expect(await readdir(join(one.options.stateDir, "instances", "gateway", "tokyo"))).toEqual([]);
});

test("a record that cannot be understood is named, and nothing is done", async () => {
  const one = await place();
  const workload = processWorkload(one.options);
  await workload.shape("tokyo", shapeOf(one, { "gateway@1.0": 1 }), at(1), signal);
  const path = join(one.options.stateDir, "instances", "gateway", "tokyo", `${(await recordsOf(one))[0]?.id}.json`);
  const text = await readFile(path, "utf8");
  await writeFile(path, text.slice(0, 40));
  await expect(workload.observe("tokyo", signal)).rejects.toMatchObject({
    code: "WORKLOAD_UNREACHABLE",
    message: expect.stringContaining(path),
  });
  await writeFile(path, text);
  expect((await workload.observe("tokyo", signal)).instances).toHaveLength(1);
});
