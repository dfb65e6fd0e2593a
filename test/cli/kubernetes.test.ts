import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { imageOf, kubePlace, type KubePlace } from "../fakes/kube-place.ts";
import { midflight, type Ended } from "../support/cli.ts";

let dir: string;
let place: KubePlace;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight kubernetes "));
  place = await kubePlace({ replicas: 4 });
  const file = (name: string, text: string) => writeFile(join(dir, name), text);
  await file("kubeconfig", place.options.kubeconfig ?? "");
  await file("blue.yaml", environmentOf("blue", "tokyo", 7));
  await file("green.yaml", environmentOf("green", "frankfurt", 9));
  await file(
    "releases.yaml",
    `midflight: 1\nreleases:\n  gateway@2.0: { kubernetes: { image: "${imageOf("2.0")}" } }\n`,
  );
  await file("plan.yaml", PLAN);
});
afterEach(async () => {
  await place.close();
  await rm(dir, { recursive: true });
});

/** One region, in the namespace of the same name as its context. */
const environmentOf = (name: string, context: string, port: number): string => `midflight: 1
environment: ${name}
class: demo
regions:
  tokyo: { probe: { okx: { rest: "http://127.0.0.1:${port}", accounts: { env: ACCOUNTS } } } }
components:
  gateway: { driver: kubernetes, deployment: gateway, service: gateway, contexts: { tokyo: ${context} }, instances: 4, port: 8080, kubeconfig: { env: THE_KUBECONFIG } }
`;
const PLAN = `midflight: 1
plan: pods
components:
  gateway: { release: gateway@2.0 }
steps:
  - roll: gateway
    waves: [{ regions: [tokyo], batch: 2, surge: 2, soak: 5s }]
`;

const call = (args: readonly string[]): Promise<Ended> =>
  midflight(args, {
    cwd: dir,
    env: {
      THE_KUBECONFIG: join(dir, "kubeconfig"),
      KUBECONFIG: join(dir, "kubeconfig"),
      ACCOUNTS: JSON.stringify([{ apiKey: "a", secret: "b", passphrase: "c" }]),
    },
    limitMs: 30_000,
  });

test("a plan for pods says what would be done to those that really run, and touches none of them", async () => {
  const { status, stdout } = await call(["plan", "plan.yaml", "--env", "blue.yaml"]);
  expect(stdout).toContain("start gateway@2.0 2/4 in the dark in tokyo");
  expect(stdout).not.toContain("Cannot start now");
  expect(status).toBe(0);
  expect(place.clusters["tokyo"]?.asked.filter((one) => !one.startsWith("GET"))).toEqual([]);
});

test("a cluster whose Deployment is missing pods is not begun with, and a forbidden look names the rule to add", async () => {
  place.clusters["tokyo"]?.refuse({ method: "GET", kind: "deployments", status: 403, message: "no", times: 100 });
  const forbidden = await call(["plan", "plan.yaml", "--env", "blue.yaml"]);
  expect(forbidden.stdout).toContain("may not get deployments/gateway in namespace tokyo");
  place.clusters["frankfurt"]?.deploy("frankfurt", imageOf("1.0"), 3);
  const short = await call(["plan", "plan.yaml", "--env", "green.yaml"]);
  expect(short.stdout).toContain("the environment states 4 instances, 3 were found");
});

test("two clusters are compared: what runs, and who else manages it", async () => {
  const alike = await call(["parity", "blue.yaml", "green.yaml"]);
  expect([alike.status, alike.stderr]).toEqual([0, ""]);
  const { frankfurt } = place.clusters;
  const deployment = frankfurt?.get("deployments", "frankfurt", "gateway");
  if (frankfurt === undefined || deployment === undefined) throw new Error("frankfurt has no Deployment");
  const labels = { "argocd.argoproj.io/instance": "venue" };
  frankfurt.put("deployments", "frankfurt", { ...deployment, metadata: { ...deployment.metadata, labels } });
  const { status, stdout } = await call(["parity", "blue.yaml", "green.yaml"]);
  expect(status).toBe(2);
  expect(stdout).toContain("the Argo CD application venue");
});

test("runs that are kept in a cluster are looked for there, and a context that is not there is said to be so", async () => {
  const none = await call(["runs", "--state", "kubernetes:tokyo/tokyo"]);
  expect([none.status, none.stdout.trim()]).toEqual([0, "no runs in kubernetes:tokyo/tokyo"]);
  const missing = await call(["runs", "--state", "kubernetes:osaka/tokyo"]);
  expect(missing.status).toBe(5);
  expect(missing.stderr).toContain("the kubeconfig has no context osaka; it has tokyo, frankfurt");
  place.clusters["tokyo"]?.refuse({ method: "GET", kind: "configmaps", status: 403, message: "no", times: 1 });
  const forbidden = await call(["runs", "--state", "kubernetes:tokyo/tokyo"]);
  expect(forbidden.status).toBe(5);
  expect(forbidden.stderr).toContain('resources: ["configmaps"], verbs: ["list"]');
});
