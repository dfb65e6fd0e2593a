import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NODE } from "../facts.ts";
import { findGround, type Ground } from "../driver/place.ts";
import { losePower, SECOND_NODE, startSecondNode } from "../second-node.ts";
import { users } from "../users.ts";
import { conductorImage } from "./image.ts";
import { conductorsOf, endConductor, type Ending } from "./pods.ts";
import { all, prepare, seatOn, STATE, type Seat, type SeatOptions } from "./seat.ts";

// A conductor that is a Job of a real cluster, from the image and with the rights that deploy/ gives it.
let ground: Ground;
let image: string;
let unprepare: (() => Promise<void>) | undefined;
const seats: Seat[] = [];
const undone: (() => Promise<void>)[] = [];
beforeAll(async () => {
  ground = await findGround();
  image = await conductorImage(ground.places);
  unprepare = await prepare(ground);
}, 300_000);
afterEach(async () => {
  for (const seat of seats.splice(0)) await seat.close();
  for (const undo of undone.splice(0)) await undo();
});
afterAll(async () => {
  await ground?.api.call("DELETE", `/apis/batch/v1/namespaces/${STATE}/jobs?propagationPolicy=Background`);
  await unprepare?.();
  ground?.api.close();
});

async function begin(options: SeatOptions = {}): Promise<Seat> {
  const seat = await seatOn(ground, image, options);
  seats.push(seat);
  return seat;
}

const ENDINGS: readonly Ending[] = ["deleted", "killed", "deleted at once"];
const UPGRADE = ["upgrade", "plan.yaml", "--env", "environment.yaml", "--in-cluster", "--output", "lines"];
const where = (): readonly string[] => ["--state", `kubernetes:${ground.facts.name}/${STATE}`];
const runIn = (text: string): string => /^(pods-\S+) is conducted in/m.exec(text)?.[1] ?? "";

describe("a conductor in a real cluster", () => {
  test("whose pod is deleted, killed, and deleted without grace goes on, is followed from elsewhere, and no request is lost", async () => {
    const seat = await begin();
    const load = await users(seat.place.service);
    const starter = seat.begin(UPGRADE);
    await starter.says(/is conducted in/, 60_000);
    starter.child.kill("SIGINT");
    expect((await starter.ended).status).toBe(0);
    const run = runIn(starter.stderr());
    const follower = seat.elsewhere(["attach", run, ...where(), "--output", "lines"]);
    const moments: string[] = [];
    for (const ending of ENDINGS) {
      const afterMs = Math.round(500 + Math.random() * 6_500);
      moments.push(`${ending} after ${afterMs} ms`);
      expect(await endConductor(ground, run, ending, afterMs), moments.join(", ")).toBe(true);
    }
    const followed = await follower.ended;
    const { sent, lost } = await load.stop();
    expect(followed.status, `${moments.join(", ")}\n${followed.stdout}${followed.stderr}`).toBe(0);
    for (const region of ["tokyo", "frankfurt"]) expect(await seat.pods(region)).toEqual(all("2.0"));
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    const report = await seat.elsewhere(["report", run, ...where()]).ended;
    expect(report.stdout).toContain("promoted");
    const phases = async () => (await conductorsOf(ground.api, run)).map(({ phase }) => phase);
    await expect.poll(phases, { timeout: 20_000, interval: 200 }).toEqual(["Succeeded"]);
  }, 300_000);

  test("probes each region from within it, loses its own pod and one that probes, and leaves nothing of them", async () => {
    const seat = await begin({ isProbedWithin: true });
    const load = await users(seat.place.service);
    const running = seat.begin(UPGRADE);
    await running.says(/done: admit gateway@2\.0 1\/3 in tokyo/, 90_000);
    const [prober] = await probersIn("tokyo");
    await ground.api.call("DELETE", `/api/v1/namespaces/tokyo/pods/${prober ?? ""}`, { gracePeriodSeconds: 0 });
    const run = runIn(running.stderr());
    expect(await endConductor(ground, run, "killed", 1_000)).toBe(true);
    const ended = await running.ended;
    const { sent, lost } = await load.stop();
    expect(ended.status, ended.stdout + ended.stderr).toBe(0);
    expect(ended.stdout).toContain("resumed by a new conductor");
    for (const region of ["tokyo", "frankfurt"]) {
      expect(await seat.pods(region)).toEqual(all("2.0"));
      await expect.poll(() => probersIn(region), { timeout: 30_000, interval: 200 }).toEqual([]);
    }
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
  }, 300_000);

  test("hears from the pods that probe that a release is bad, and no user meets it", async () => {
    const seat = await begin({ isProbedWithin: true, isBad: true });
    const ended = await seat.begin(UPGRADE).ended;
    expect(ended.status, ended.stdout + ended.stderr).toBe(1);
    expect(ended.stdout).toMatch(/look on \S+ \(gateway@2\.0\): \d+ of \d+ failed, mostly 2\.0/);
    expect(ended.stdout).not.toContain("admit gateway@2.0");
    for (const region of ["tokyo", "frankfurt"]) {
      expect(await seat.pods(region)).toEqual(all("1.0"));
      // Whoever follows is told of the end before the conductor has tidied up.
      await expect.poll(() => probersIn(region), { timeout: 30_000, interval: 200 }).toEqual([]);
    }
  }, 300_000);

  test("whose node is lost in the middle goes on at another one, and no request is lost", async () => {
    const { api, facts, places } = ground;
    // On the first node: the conductor alone comes to the second one.
    const seat = await begin();
    const node = await startSecondNode(places, facts, api);
    undone.push(async () => {
      await losePower(node);
      await api.call("DELETE", `/api/v1/nodes/${SECOND_NODE}`);
      await setSchedulable(NODE, true);
    });
    await conductorImage(node);
    const load = await users(seat.place.service);
    await setSchedulable(NODE, false);
    const running = seat.begin(UPGRADE);
    await running.says(/is conducted in/, 60_000);
    const run = runIn(running.stderr());
    const nodes = async () => (await conductorsOf(api, run)).map((pod) => pod.node);
    await expect.poll(nodes, { timeout: 30_000, interval: 20 }).toEqual([SECOND_NODE]);
    await setSchedulable(SECOND_NODE, false);
    await setSchedulable(NODE, true);
    await running.says(/done: admit gateway@2\.0 1\/3 in tokyo/, 90_000);
    await losePower(node);
    const ended = await running.ended;
    const { sent, lost } = await load.stop();
    expect(ended.status, ended.stdout + ended.stderr).toBe(0);
    expect(ended.stdout).toContain("resumed by a new conductor, epoch 3");
    for (const region of ["tokyo", "frankfurt"]) expect(await seat.pods(region)).toEqual(all("2.0"));
    expect(await nodes()).toContain(NODE);
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
  }, 300_000);
});

/** Names of the pods that probe it. */
async function probersIn(region: string): Promise<readonly string[]> {
  const labels = encodeURIComponent("app.kubernetes.io/name=midflight-probes");
  const { items } = (await ground.api.call("GET", `/api/v1/namespaces/${region}/pods?labelSelector=${labels}`)) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  };
  return items.map(({ metadata }) => metadata.name);
}

const setSchedulable = (name: string, isSchedulable: boolean): Promise<unknown> =>
  ground.api.call(
    "PATCH",
    `/api/v1/nodes/${name}`,
    { spec: { unschedulable: !isSchedulable } },
    "application/merge-patch+json",
  );
