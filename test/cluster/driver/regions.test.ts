import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { midflight, start, type Ended, type Running } from "../../support/cli.ts";
import { findGround, placeOn, REGIONS, type Ground, type Place } from "./place.ts";

// What an operator types while the way to one region's API server is cut, against a real cluster.
let ground: Ground;
let dir: string;
const undone: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  ground = await findGround();
}, 180_000);
afterEach(async () => {
  for (const undo of undone.splice(0).toReversed()) await undo();
});
afterAll(() => ground?.api.close());

const REPLICAS = 2;
const GONE_MS = 30_000;
const { signal } = new AbortController();

async function begin(): Promise<Place> {
  const place = await placeOn(ground, { replicas: REPLICAS });
  undone.push(place.close);
  dir = await mkdtemp(join(tmpdir(), "midflight regions "));
  undone.push(() => rm(dir, { recursive: true }));
  const file = (name: string, text: string) => writeFile(join(dir, name), text);
  await file("prod.yaml", await environmentOf(place));
  await file("plan.yaml", PLAN);
  await file("releases.yaml", releasesOf());
  await file("kubeconfig", place.options.kubeconfig ?? "");
  for (const region of REGIONS)
    await expect.poll(() => releasesIn(place, region), { timeout: 60_000, interval: 200 }).toEqual(all("1.0"));
  return place;
}

const releasesIn = async ({ driver }: Place, region: string): Promise<readonly string[]> =>
  (await driver.workload.observe(region, signal)).instances
    .filter(({ ready, weightPct }) => ready && weightPct === 100)
    .map(({ release }) => release);
const all = (version: string) => Array.from({ length: REPLICAS }, () => `gateway@${version}`);
/** Not by the way that is cut. */
const specIn = async (place: Place, region: string): Promise<string> =>
  JSON.stringify((await place.deployment(region)).spec);

async function environmentOf({ name, service }: Place): Promise<string> {
  const { spec } = (await ground.api.call("GET", `/api/v1/namespaces/frankfurt/services/${name}`)) as {
    readonly spec: { readonly clusterIP: string };
  };
  const urls = { tokyo: service, frankfurt: `http://${spec.clusterIP}/` };
  return `midflight: 1
environment: prod
class: demo
rules: { plain: { answers: any, status: { ok: ["200"], service: ["500-599"] } } }
regions:
${Object.entries(urls)
  .map(
    ([region, url]) =>
      `  ${region}: { probe: { http: { url: "${url}", rules: plain, operations: { read: { method: GET, path: / } } } } }\n`,
  )
  .join("")}components:
  gateway: { driver: kubernetes, deployment: ${name}, container: gateway, service: ${name}, contexts: { tokyo: tokyo, frankfurt: frankfurt }, instances: ${REPLICAS}, port: 8080, readyDeadline: 30s, kubeconfig: { env: THE_KUBECONFIG } }
`;
}
const PLAN = `midflight: 1
plan: pods
guard: { operations: [read], deadline: 5s, slowerThan: 4s, baseline: { atMost: 1% } }
components:
  gateway: { release: gateway@2.0 }
steps:
  - roll: gateway
    dark: none
    drain: { notice: 1s, deadline: 10s }
    waves: [{ regions: [tokyo, frankfurt], batch: 1, surge: 1, soak: 1s }]
`;
const releasesOf = (): string =>
  `midflight: 1\nreleases:\n${["1.0", "2.0"]
    .map((version) => `  gateway@${version}: { kubernetes: { image: "${ground.images[version] ?? ""}" } }\n`)
    .join("")}`;

const how = () => ({ cwd: dir, env: { THE_KUBECONFIG: join(dir, "kubeconfig") }, limitMs: 200_000 });
const call = (...args: readonly string[]): Promise<Ended> => midflight(args, how());
const background = (...args: readonly string[]): Running => start(args, how());

test("a run is taken back in the region that answers while the other one's API server is gone for 30 s, and there when it is back; no upgrade begins meanwhile", async () => {
  const place = await begin();
  const before = await Promise.all(REGIONS.map((region) => specIn(place, region)));
  const upgrading = background("upgrade", "plan.yaml", "--env", "prod.yaml", "--yes", "--output", "lines");
  await upgrading.says(/done: admit gateway@2\.0 1\/2 in tokyo, frankfurt/, 90_000);
  upgrading.child.kill("SIGKILL");
  await upgrading.ended;
  const [run = ""] = await readdir(join(dir, ".midflight", "runs"));

  await place.cut("frankfurt");
  const since = performance.now();
  const stands = await specIn(place, "frankfurt");
  const begun = await call("upgrade", "plan.yaml", "--env", "prod.yaml", "--yes");
  expect([begun.status, begun.stderr]).toEqual([
    5,
    expect.stringContaining("prod/gateway cannot be held in frankfurt"),
  ]);

  const back = background("rollback", run, "--output", "lines");
  await back.says(
    /could not be reached and is left as it stands until its lease can be had: prod\/gateway in frankfurt/,
    30_000,
  );
  await back.says(/gateway\/frankfurt cannot be reached and stands as it is; it follows once it answers/, 60_000);
  await expect.poll(() => releasesIn(place, "tokyo"), { timeout: 60_000, interval: 200 }).toEqual(all("1.0"));
  const status = await call("status", run);
  expect(status.stdout).toMatch(/^away +gateway\/frankfurt, left as it stands: the API server of frankfurt/m);
  await pause(Math.max(0, GONE_MS - (performance.now() - since)));
  expect(await specIn(place, "frankfurt")).toBe(stands);

  await place.mend("frankfurt");
  const ended = await back.ended;
  expect(ended.status, ended.stdout + ended.stderr).toBe(1);
  expect(ended.stdout).toContain("gateway/frankfurt answers again, and is taken back");
  for (const region of REGIONS) expect(await releasesIn(place, region)).toEqual(all("1.0"));
  expect(await Promise.all(REGIONS.map((region) => specIn(place, region)))).toEqual(before);
}, 300_000);
