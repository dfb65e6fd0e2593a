import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Grant } from "../../../src/adapters/kubernetes/beside/rbac.ts";
import { midflight, start, type Ended, type Running } from "../../support/cli.ts";
import { accountOf } from "./account.ts";
import { untilServing } from "./orders.ts";
import type { Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

// What an operator types, against a real cluster, as an account that has the printed rights and no others.
const cluster = withGround();
let dir: string;

const REPLICAS = 2;

/** A Deployment, and a folder with a plan for it. */
async function begin(release: string): Promise<Place> {
  const place = await cluster.place({ replicas: REPLICAS });
  dir = await mkdtemp(join(tmpdir(), "midflight commands "));
  cluster.undo(() => rm(dir, { recursive: true }));
  const file = (name: string, text: string) => writeFile(join(dir, name), text);
  await file("prod.yaml", environmentOf(place));
  await file("plan.yaml", planOf(release));
  await file("releases.yaml", releasesOf());
  await file("kubeconfig", place.options.kubeconfig ?? "");
  await untilServing(place, REPLICAS);
  return place;
}

async function isServing({ driver }: Place): Promise<boolean> {
  const { instances } = await driver.workload.observe("tokyo", new AbortController().signal);
  return instances.filter(({ ready, weightPct }) => ready && weightPct === 100).length === REPLICAS;
}

const environmentOf = ({ name, service }: Place): string => `midflight: 1
environment: prod
class: demo
rules: { plain: { answers: any, status: { ok: ["200"], service: ["500-599"] } } }
regions:
  tokyo: { probe: { http: { url: "${service}", rules: plain, operations: { read: { method: GET, path: / } } } } }
components:
  gateway: { driver: kubernetes, deployment: ${name}, container: gateway, service: ${name}, contexts: { tokyo: tokyo }, instances: ${REPLICAS}, port: 8080, readyDeadline: 30s, kubeconfig: { env: THE_KUBECONFIG } }
`;
const planOf = (release: string): string => `midflight: 1
plan: pods
guard: { operations: [read] }
components:
  gateway: { release: ${release} }
steps:
  - roll: gateway
    drain: { notice: 1s, deadline: 10s }
    waves: [{ regions: [tokyo], batch: 1, surge: 1, soak: 1s }]
`;
const releasesOf = (): string =>
  `midflight: 1\nreleases:\n${["1.0", "2.0", "3.0"]
    .map((version) => `  gateway@${version}: { kubernetes: { image: "${cluster.ground().images[version] ?? ""}" } }\n`)
    .join("")}`;

const how = () => ({ cwd: dir, env: { THE_KUBECONFIG: join(dir, "kubeconfig") }, limitMs: 120_000 });
const call = (...args: readonly string[]): Promise<Ended> => midflight(args, how());
const background = (...args: readonly string[]): Running => start(args, how());

async function reasonsAt({ deployment }: Place): Promise<readonly string[]> {
  const { metadata } = await deployment("tokyo");
  const { items } = (await cluster.ground().api.call("GET", "/apis/events.k8s.io/v1/namespaces/tokyo/events")) as {
    readonly items: readonly {
      readonly reason: string;
      readonly eventTime?: string;
      readonly reportingController?: string;
      readonly regarding: { readonly uid: string };
    }[];
  };
  return items
    .filter(
      ({ regarding, reportingController }) => regarding.uid === metadata.uid && reportingController === "midflight",
    )
    .toSorted((a, b) => ((a.eventTime ?? "") < (b.eventTime ?? "") ? -1 : 1))
    .map(({ reason }) => reason);
}

const imageIn = async ({ deployment }: Place): Promise<string | undefined> =>
  (await deployment("tokyo")).spec.template.spec.containers[0]?.image;

describe("on a real cluster", () => {
  test("an account with exactly the printed rights upgrades, and what became of it stands at the Deployment", async () => {
    const place = await begin("gateway@2.0");
    const printed = await call("rbac", "plan.yaml", "--env", "prod.yaml", "--json");
    expect([printed.status, printed.stderr]).toEqual([0, ""]);
    const { grants } = JSON.parse(printed.stdout) as { readonly grants: readonly Grant[] };
    const account = await accountOf(cluster.ground(), grants);
    cluster.undo(account.close);
    await writeFile(join(dir, "kubeconfig"), account.as(place.options).kubeconfig ?? "");
    const planned = async () => (await call("plan", "plan.yaml", "--env", "prod.yaml")).stdout;
    // The API server learns of a role a little later.
    await expect.poll(planned, { timeout: 20_000, interval: 500 }).not.toMatch(/may not|Cannot start now/);
    expect(await planned()).toContain("its pods have no preStop hook");
    const { status, stderr } = await call("upgrade", "plan.yaml", "--env", "prod.yaml", "--yes", "--output", "lines");
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining("risk: gateway in tokyo: its pods have no preStop hook"),
    ]);
    expect(await imageIn(place)).toBe(cluster.ground().images["2.0"]);
    expect(await reasonsAt(place)).toEqual(["UpgradeBegan", "BatchDone", "BatchDone", "Promoted"]);
  }, 240_000);

  test("an upgrade whose conductor is killed leaves the Deployment held, and release-hold frees it", async () => {
    const place = await begin("gateway@3.0");
    const before = await place.deployment("tokyo");
    const running = background("upgrade", "plan.yaml", "--env", "prod.yaml", "--yes", "--output", "lines");
    const isHeld = async () =>
      (await place.deployment("tokyo")).metadata.annotations?.["midflight.dev/held"] !== undefined;
    await expect.poll(isHeld, { timeout: 60_000, interval: 100 }).toBe(true);
    const refused = await call("release-hold", "--env", "prod.yaml", "--yes");
    expect([refused.status, refused.stderr]).toEqual([5, expect.stringContaining("LEASE_HELD")]);
    running.child.kill("SIGKILL");
    await running.ended;
    const freed = await call("release-hold", "gateway", "--env", "prod.yaml", "--yes");
    expect([freed.status, freed.stderr]).toEqual([0, ""]);
    expect(freed.stdout).toContain("where 2 are meant to be");
    expect(freed.stdout).toMatch(/- pod \S+-dark-\S+, which is in the dark/);
    expect(await isHeld()).toBe(false);
    expect((await place.deployment("tokyo")).spec).toEqual(before.spec);
    await expect.poll(() => isServing(place), { timeout: 60_000, interval: 200 }).toBe(true);
    expect((await call("release-hold", "--env", "prod.yaml", "--yes")).stdout).toBe("nothing of prod is held\n");
  }, 240_000);
});
