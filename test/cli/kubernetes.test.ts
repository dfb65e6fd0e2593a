import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { imageOf, kubePlace, type KubePlace } from "../fakes/kube-place.ts";
import { start, type Ended, type Running } from "../support/cli.ts";

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

const begun = (args: readonly string[]): Running =>
  start(args, {
    cwd: dir,
    env: {
      THE_KUBECONFIG: join(dir, "kubeconfig"),
      KUBECONFIG: join(dir, "kubeconfig"),
      ACCOUNTS: JSON.stringify([{ apiKey: "a", secret: "b", passphrase: "c" }]),
    },
    limitMs: 30_000,
  });

const call = (args: readonly string[]): Promise<Ended> => begun(args).ended;

function placeOf() {
  const { tokyo } = place.clusters;
  if (tokyo === undefined) throw new Error("there is no tokyo");
  return { tokyo };
}

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

async function openInCluster(): Promise<Running> {
  const where = "kubernetes: { context: tokyo, namespace: state }";
  const seat = "{ image: registry/midflight, serviceAccount: conductor, context: tokyo, namespace: state }";
  const text = environmentOf("blue", "tokyo", 7).replace(
    "components:",
    `state: { ${where} }\ninCluster: ${seat}\ncomponents:`,
  );
  await writeFile(join(dir, "inside.yaml"), text);
  const running = begun(["upgrade", "plan.yaml", "--env", "inside.yaml", "--in-cluster", "--output", "lines"]);
  await running.says(/is conducted in tokyo/);
  return running;
}

const holders = () =>
  ["state", "tokyo"].flatMap((namespace) =>
    placeOf()
      .tokyo.list("leases", namespace)
      .map(({ spec }) => spec?.holderIdentity),
  );

test("a conductor that is told to leave gives its leases back at once, and the next one, which waited for it, goes on", async () => {
  const starter = await openInCluster();
  starter.child.kill("SIGINT");
  await starter.ended;
  const [job] = placeOf().tokyo.list("jobs", "state");
  const run = job?.metadata.annotations?.["midflight.dev/run"] ?? "";
  const conduct = ["conduct", run, "--state", "kubernetes:tokyo/state", "--output", "lines"];
  const first = begun(conduct);
  await first.says(/resumed by a new conductor/);
  const second = begun(conduct);
  await second.says(/waiting: blue\/gateway is held by run pods-/);
  first.child.kill("SIGTERM");
  const ended = await first.ended;
  expect(ended.status).toBe(6);
  expect(ended.stderr).toContain("told to leave (SIGTERM)");
  expect(ended.stderr).not.toContain("LEASE_LOST");
  await second.says(/resumed by a new conductor/);
  second.child.kill("SIGTERM");
  expect((await second.ended).status).toBe(6);
  expect(holders()).toEqual([undefined, undefined]);
});

test("an upgrade in the cluster is opened here, conducted there, and looked at from anywhere", async () => {
  const running = await openInCluster();
  const { tokyo } = placeOf();
  const [job] = tokyo.list("jobs", "state");
  const run = job?.metadata.annotations?.["midflight.dev/run"] ?? "";
  expect(run).toMatch(/^pods-\d{8}-\d{6}-[0-9a-f]{4}$/);
  // Its first fact is told from the journal, and the lease is free for the conductor.
  await running.says(/run pods-.* on blue \(demo\)/);
  expect(tokyo.list("leases", "state").map(({ spec }) => spec?.holderIdentity)).toEqual([undefined]);
  running.child.kill("SIGINT");
  const ended = await running.ended;
  expect(ended.status).toBe(0);
  expect(ended.stderr).toContain(`midflight attach ${run} --state kubernetes:tokyo/state`);
  const status = await call(["status", run, "--state", "kubernetes:tokyo/state"]);
  expect(status.stdout).toContain("by nobody: no conductor is at work");
  // Nothing of it is on this machine: whoever has the kubeconfig takes it back.
  const back = await call(["rollback", run, "--state", "kubernetes:tokyo/state"]);
  expect(back.status, back.stdout + back.stderr).toBe(5);
  // A conductor that is started again finds nothing to do, and is not started once more.
  expect((await call(["conduct", run, "--state", "kubernetes:tokyo/state"])).status).toBe(0);
  const attached = await call(["attach", run, "--state", "kubernetes:tokyo/state", "--output", "lines"]);
  expect(attached.status).toBe(5);
});

test("an upgrade that cannot run in the cluster is refused before anything is opened", async () => {
  const outside = await call(["upgrade", "plan.yaml", "--env", "blue.yaml", "--in-cluster"]);
  expect(outside.status).toBe(3);
  expect(outside.stderr).toContain("INCLUSTER_IMPOSSIBLE");
  expect(outside.stderr).toContain("inCluster: { image:");
  await writeFile(join(dir, "job.yaml"), "kind: Pod\n");
  const job = "steps:\n  - run: { job: { manifest: job.yaml } }\n";
  await writeFile(join(dir, "plan.yaml"), PLAN.replace("steps:\n", job));
  const somewhere = "{ context: tokyo, namespace: state }";
  const text = `state: { kubernetes: ${somewhere} }\njobs: ${somewhere}\ninCluster: { image: i, serviceAccount: s, context: tokyo, namespace: state }\n`;
  await writeFile(join(dir, "inside.yaml"), `${environmentOf("blue", "tokyo", 7)}${text}`);
  const broken = await call(["upgrade", "plan.yaml", "--env", "inside.yaml", "--in-cluster"]);
  expect(broken.stderr).toContain("JOB_MANIFEST_WRONG");
  expect(broken.status).toBe(3);
  expect(placeOf().tokyo.list("configmaps", "state")).toEqual([]);
  expect(placeOf().tokyo.list("jobs", "state")).toEqual([]);
});
