import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Grant } from "../../../src/adapters/kubernetes/beside/rbac.ts";
import { midflight, type Ended } from "../../support/cli.ts";
import { accountOf } from "../driver/account.ts";
import { countsIn, untilAnswered, untilServing } from "../driver/orders.ts";
import type { Place } from "../driver/place.ts";
import { withGround } from "../driver/with-ground.ts";

// A plan is rehearsed in a demo environment that runs in pods, earns its certificate there, and is let into production by it.
const cluster = withGround();
const REPLICAS = 2;

const environmentOf = (name: string, kind: "demo" | "production", place: Place): string => `midflight: 1
environment: ${name}
class: ${kind}
rules: { plain: { answers: any, status: { ok: ["200"], service: ["500-599"] } } }
regions:
  tokyo: { probe: { http: { url: "${place.service}", rules: plain, operations: { read: { method: GET, path: / } } } } }
components:
  gateway: { driver: kubernetes, deployment: ${place.name}, container: gateway, service: ${place.name}, contexts: { tokyo: tokyo }, instances: ${REPLICAS}, port: 8080, readyDeadline: 30s, kubeconfig: { env: KUBECONFIG_OF_${kind.toUpperCase()} } }
`;
const PLAN = `midflight: 1
plan: pods
guard: { operations: [read], deadline: 2s, slowerThan: 2s }
components:
  gateway: { release: gateway@2.0 }
steps:
  - roll: gateway
    dark: { exclude: 20%, confidence: 95% }
    drain: { notice: 1s, deadline: 10s }
    waves: [{ regions: [tokyo], batch: 1, surge: 1, soak: 1s }]
rehearsal: { soak: 2s, validFor: 1h }
`;

test("every fault strikes pods too, demo is as before after each of them, and what was proved there is let into production", async () => {
  const [demo, production] = [await cluster.place({ replicas: REPLICAS }), await cluster.place({ replicas: REPLICAS })];
  const dir = await mkdtemp(join(tmpdir(), "midflight rehearsal "));
  cluster.undo(() => rm(dir, { recursive: true }));
  const file = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text);
  const env = {
    KUBECONFIG_OF_DEMO: join(dir, "demo.config"),
    KUBECONFIG_OF_PRODUCTION: join(dir, "production.config"),
  };
  const call = (...args: readonly string[]): Promise<Ended> => midflight(args, { cwd: dir, env, limitMs: 400_000 });
  await file("demo.config", demo.options.kubeconfig ?? "");
  await file("production.config", production.options.kubeconfig ?? "");
  await file("plan.yaml", PLAN);
  await file("demo.yaml", environmentOf("demo", "demo", demo));
  await file(
    "releases.yaml",
    `midflight: 1\nreleases:\n${["1.0", "2.0"].map((version) => `  gateway@${version}: { kubernetes: { image: "${cluster.ground().images[version] ?? ""}" } }\n`).join("")}`,
  );
  const made = await call("keys", "new", "--out", "keys");
  expect(made.status, made.stderr).toBe(0);
  await file(
    "production.yaml",
    `${environmentOf("production", "production", production)}trusts: [./keys/rehearsal.pub.json]\n`,
  );
  for (const place of [demo, production]) {
    await untilServing(place, REPLICAS);
    await untilAnswered(place);
  }

  // The rights of an upgrade of demo, and no others.
  const printed = await call("rbac", "plan.yaml", "--env", "demo", "--json");
  const { grants } = JSON.parse(printed.stdout) as { readonly grants: readonly Grant[] };
  const account = await accountOf(cluster.ground(), grants);
  cluster.undo(account.close);
  await file("demo.config", account.as(demo.options).kubeconfig ?? "");
  const planned = async () => (await call("plan", "plan.yaml", "--env", "demo")).stdout;
  // The API server learns of a role a little later.
  await expect.poll(planned, { timeout: 20_000, interval: 500 }).not.toMatch(/may not|Cannot start now/);

  const refused = await call("upgrade", "plan.yaml", "--env", "production", "--yes");
  expect([refused.status, refused.stderr]).toEqual([5, expect.stringContaining("CERTIFICATE_MISSING")]);

  const ended = await call(
    "rehearse",
    "plan.yaml",
    "--env",
    "demo",
    "--for",
    "production",
    "--key",
    "keys/rehearsal.pem",
    "--json",
  );
  expect(ended.status, ended.stderr + ended.stdout.slice(-4_000)).toBe(0);
  const { drills, report } = JSON.parse(ended.stdout.trimEnd().split("\n").at(-1) ?? "") as {
    readonly report: string;
    readonly drills: readonly { readonly kind: string; readonly outcome: string; readonly name: string }[];
  };
  expect(drills.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  const passed = drills.filter(({ outcome }) => outcome === "passed").map(({ name }) => name);
  for (const name of [
    /^taken back after retire/,
    /^the new release dies: admit/,
    /^the conductor is killed: admit/,
    /^the servers of tokyo die/,
    /^the whole plan/,
  ])
    expect(passed).toContainEqual(expect.stringMatching(name));
  expect(await readdir(dirname(report))).toEqual(expect.arrayContaining(["junit.xml", "report.html"]));
  expect(await readFile(report, "utf8")).toContain("<svg");
  expect([await countsIn(demo.driver), await countsIn(production.driver)]).toEqual(["0/2", "2/0"]);

  const upgraded = await call("upgrade", "plan.yaml", "--env", "production", "--yes", "--output", "lines");
  expect(upgraded.status, upgraded.stderr + upgraded.stdout).toBe(0);
  expect(await countsIn(production.driver)).toBe("0/2");
}, 600_000);
