import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fileLease } from "../../src/adapters/file/lease.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { imageOf, kubePlace, releaseOf, type KubePlace } from "../fakes/kube-place.ts";
import { takeInRegion } from "../fakes/kube-lease.ts";
import { midflightBinary } from "../support/build.ts";
import { forgeJournal } from "../support/forged-journal.ts";
import { midflight, start, type Ended, type Running } from "../support/cli.ts";

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

describe("a release that only the environment file says an image of", () => {
  const brings = (name: string, version: string) =>
    writeFile(
      join(dir, `${name}.yaml`),
      `${environmentOf(name, "tokyo", 7)}releases: { gateway@2.0: { kubernetes: { image: "${imageOf(version)}" } } }\n`,
    );
  beforeEach(async () => {
    const asProcess = `{ process: { digest: "sha256:${"0".repeat(64)}", path: ./gateway-2.0, run: [node, main.js] } }`;
    await writeFile(join(dir, "releases.yaml"), `midflight: 1\nreleases:\n  gateway@2.0: ${asProcess}\n`);
    await brings("red", "2.0");
  });

  test("is planned in that environment, and asked for where no file says it", async () => {
    const planned = await call(["plan", "plan.yaml", "--env", "red.yaml"]);
    expect([planned.status, planned.stderr]).toEqual([0, ""]);
    expect(planned.stdout).toContain("start gateway@2.0 2/4 in the dark in tokyo");
    const missing = await call(["check", "plan.yaml", "--env", "blue.yaml"]);
    expect(missing.status).toBe(3);
    expect(missing.stderr).toContain("gateway@2.0 says nothing for the driver kubernetes");
    expect(missing.stderr).toContain("under `releases` in blue.yaml");
  });

  test("is not rehearsed where it is another image than in production", async () => {
    await brings("rose", "1.0");
    const { status, stderr } = await call(["rehearse", "plan.yaml", "--env", "red.yaml", "--for", "rose.yaml"]);
    expect(status).toBe(5);
    expect(stderr).toContain("what is rehearsed would not be what runs");
    expect(place.clusters["tokyo"]?.asked).toEqual([]);
  });
});

test("a plan is not rehearsed where commands drive it: nobody could be killed there, and drills do", async () => {
  const blue = environmentOf("blue", "tokyo", 7);
  const driven = `gateway: { driver: command, observe: ["true"], apply: ["true"], undo: ["true"], ready: ["true"] }
releases: { gateway@2.0: { command: { digest: "sha256:${"0".repeat(64)}" } } }`;
  await writeFile(join(dir, "gray.yaml"), blue.replace("blue", "gray").replace(/gateway: .*/, driven));
  const waves = "dark: none\n    waves: [{ regions: [tokyo], batch: 1, surge: 1, soak: 5s }]";
  await writeFile(join(dir, "gray-plan.yaml"), PLAN.replace(/waves: .*/, waves));
  const { status, stderr } = await call(["rehearse", "gray-plan.yaml", "--env", "gray.yaml", "--for", "green.yaml"]);
  expect(status, stderr).toBe(5);
  expect(stderr).toContain("gateway is driven by commands in gray: its instances cannot be killed, and drills do");
  expect(stderr).toContain("--quick");
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

test("what would lose requests or be reverted is told among the risks of a plan", async () => {
  const { tokyo } = place.clusters;
  const deployment = tokyo?.get("deployments", "tokyo", "gateway");
  if (tokyo === undefined || deployment === undefined) throw new Error("tokyo has no Deployment");
  const labels = { "kustomize.toolkit.fluxcd.io/name": "apps" };
  tokyo.put("deployments", "tokyo", { ...deployment, metadata: { ...deployment.metadata, labels } });
  const { stdout } = await call(["plan", "plan.yaml", "--env", "blue.yaml"]);
  expect(stdout).toContain("gateway in tokyo: container gateway has no readiness probe");
  expect(stdout).toContain("gateway in tokyo: the Flux kustomization apps would put back what midflight holds");
});

test("the rights that a plan needs are printed as manifests for each namespace, and no cluster is asked", async () => {
  const { status, stdout, stderr } = await call(["rbac", "plan.yaml", "--env", "blue.yaml"]);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^# tokyo: namespace tokyo of the context tokyo\n# kubectl --context tokyo apply -f -\n/);
  const manifest = parse(stdout) as { readonly kind: string; readonly items: readonly { readonly kind: string }[] };
  expect([manifest.kind, ...manifest.items.map(({ kind }) => kind)]).toEqual([
    "List",
    "ServiceAccount",
    "Role",
    "RoleBinding",
  ]);
  const asJson = await call(["rbac", "plan.yaml", "--env", "blue.yaml", "--json"]);
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    kind: "rbac",
    grants: [{ what: ["tokyo"], context: "tokyo", namespace: "tokyo", manifest }],
  });
  const nowhere = await call(["rbac", "plan.yaml", "--env", "blue.yaml", "--region", "osaka"]);
  expect(nowhere.stderr).toContain("blue has no region osaka");
  expect(place.clusters["tokyo"]?.asked).toEqual([]);
});

test("where runs are kept and conducted in a cluster, its account is bound there and in the regions of that cluster", async () => {
  const seat = "{ image: registry/midflight, serviceAccount: conductor, context: tokyo, namespace: state }";
  const kept = "{ kubernetes: { context: tokyo, namespace: state } }";
  const text = environmentOf("blue", "tokyo", 7).replace(
    "components:",
    `state: ${kept}\ninCluster: ${seat}\ncomponents:`,
  );
  await writeFile(join(dir, "inside.yaml"), text);
  const { status, stdout, stderr } = await call(["rbac", "plan.yaml", "--env", "inside.yaml"]);
  expect([status, stderr]).toEqual([0, ""]);
  const [region = "", state = ""] = stdout.split("---\n");
  expect(region).toMatch(/^# tokyo: namespace tokyo of the context tokyo\n/);
  expect(region).not.toContain("kind: ServiceAccount\n    metadata");
  expect(region).toMatch(/subjects:\n +- kind: ServiceAccount\n +name: conductor\n +namespace: state\n/);
  expect(state).toMatch(/^# runs: namespace state of the context tokyo\n/);
  expect(state).toMatch(/kind: ServiceAccount\n +metadata:\n +name: conductor\n +namespace: state\n/);
  expect(state).toContain("resources: [ configmaps ]");
});

describe("what a conductor did not live to tell", () => {
  const STATE = ["--state", "kept"];
  const told = async (): Promise<readonly string[]> =>
    (await readFile(join(dir, "told"), "utf8").catch(() => ""))
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { readonly id: string }).id]));
  /** As a crash between the end and its answer leaves it. */
  async function forget(run: string): Promise<void> {
    forgeJournal(join(dir, "kept", "runs", run), (line) => (line.fact["kind"] === "delivered" ? undefined : line));
    await rm(join(dir, "told"), { force: true });
  }

  test("of how its run ended is told when the run is resumed, once, and by the next upgrade on these components", async () => {
    await writeFile(join(dir, "pager.sh"), `cat >> "${join(dir, "told")}"\n`);
    const text = `${environmentOf("blue", "tokyo", 7)}notify: [{ command: [sh, ${JSON.stringify(join(dir, "pager.sh"))}], on: [ended] }]\n`;
    await writeFile(join(dir, "blue.yaml"), text);
    place.clusters["tokyo"]?.deploy("tokyo", imageOf("1.0"), 3);
    const upgrade = () => call(["upgrade", "plan.yaml", "--env", "blue.yaml", "--yes", ...STATE]);
    const first = await upgrade();
    expect(first.status, first.stdout + first.stderr).toBe(5);
    const [run = ""] = await readdir(join(dir, "kept", "runs"));
    const ids = await told();
    expect(ids).toEqual([expect.stringMatching(new RegExp(`^${run}/notify:ended:`))]);
    const over = await call(["resume", run, ...STATE]);
    expect([over.status, over.stderr.includes("RUN_OVER")]).toEqual([5, true]);

    await forget(run);
    const resumed = await call(["resume", run, ...STATE]);
    expect([resumed.status, resumed.stderr]).toEqual([
      5,
      expect.stringContaining(`told command sh what the conductor of ${run} did not live to tell: refused: `),
    ]);
    expect(await told()).toEqual(ids);
    expect((await call(["resume", run, ...STATE])).stderr).toContain("RUN_OVER");
    expect(await told()).toEqual(ids);

    await forget(run);
    const next = await upgrade();
    expect(next.stderr).toContain(`told command sh what the conductor of ${run} did not live to tell`);
    expect(await told()).toHaveLength(2);
    expect((await told())[0]).toBe(ids[0]);
  }, 60_000);
});

describe("release-hold", () => {
  const { signal } = new AbortController();
  const image = (): string | undefined =>
    place.clusters["tokyo"]?.get("deployments", "tokyo", "gateway")?.spec.template.spec.containers[0]?.image;

  /** As a run leaves it that died after its first batch. */
  async function hold(epoch: number): Promise<void> {
    const { workload, traffic } = place.open();
    const states = async () => (await workload.observe("tokyo", signal)).instances;
    await expect
      .poll(async () => (await states()).filter(({ ready, weightPct }) => ready && weightPct > 0).length)
      .toBe(4);
    const [old, fresh] = [releaseOf("1.0"), releaseOf("2.0")];
    const drain = { noticeMs: 0, deadlineMs: 1_000 };
    const shape = (before: number, after: number) => ({
      releases: [
        { ...old, count: before },
        { ...fresh, count: after },
      ],
      drain,
    });
    await workload.shape("tokyo", shape(4, 2), { epoch, seq: 1 }, signal);
    const weighing = [
      { digest: old.digest, admitted: 4, weightPct: 100 },
      { digest: fresh.digest, admitted: 2, weightPct: 100 },
    ];
    await traffic.weigh("tokyo", weighing, { epoch, seq: 2 }, signal);
    await workload.shape("tokyo", shape(2, 2), { epoch, seq: 3 }, signal);
    expect(image()).toBe(imageOf("2.0"));
  }

  // helm#12516: what a dead upgrade left can be freed by one command, and nothing is edited by hand.
  test("shows what it would put back, needs a yes, and puts it back", async () => {
    await hold(0);
    const asked = await call(["release-hold", "gateway", "--env", "blue.yaml"]);
    expect([asked.status, asked.stderr.includes("NOT_CONFIRMED")]).toEqual([5, true]);
    expect(asked.stdout).toContain("gateway in tokyo: deployment gateway in tokyo of tokyo is held");
    expect(asked.stdout).toContain("stands at 2 of sha256:111111111111 and 2 of gateway@2.0, where 4 are meant to be");
    expect(asked.stdout).toContain("~ minReadySeconds: 2147483646 → nothing");
    expect(image()).toBe(imageOf("2.0"));
    const freed = await call(["release-hold", "--env", "blue.yaml", "--yes"]);
    expect([freed.status, freed.stderr]).toEqual([0, ""]);
    expect(freed.stdout).toContain("gateway in tokyo is let go");
    expect(image()).toBe(imageOf("1.0"));
    const again = await call(["release-hold", "--env", "blue.yaml", "--yes"]);
    expect(again.stdout).toBe("nothing of blue is held\n");
  }, 60_000);

  test("frees nothing while a run lives that may be its owner", async () => {
    await hold(0);
    const lease = await fileLease({ dir: join(dir, ".midflight", "leases"), clock: systemClock }).acquire(
      ["blue/gateway"],
      { run: "r-living", host: hostname(), pid: process.pid },
      signal,
    );
    try {
      const { status, stderr } = await call(["release-hold", "--env", "blue.yaml", "--yes"]);
      expect([status, stderr.includes("LEASE_HELD"), stderr.includes("r-living")]).toEqual([5, true, true]);
      expect(image()).toBe(imageOf("2.0"));
    } finally {
      await lease.release();
    }
  }, 60_000);

  test("sees a run whose state lies on another machine by its lease in the region, and frees nothing", async () => {
    await hold(0);
    const elsewhere = { key: "blue/gateway", run: "r-elsewhere", machine: "another" };
    const lease = await takeInRegion(place.options, "tokyo", elsewhere);
    try {
      const { status, stderr } = await call(["release-hold", "--env", "blue.yaml", "--yes"]);
      expect([status, stderr.includes("LEASE_HELD"), stderr.includes("r-elsewhere")]).toEqual([5, true, true]);
      expect(image()).toBe(imageOf("2.0"));
    } finally {
      await lease.release();
    }
    expect((await call(["release-hold", "--env", "blue.yaml", "--yes"])).status).toBe(0);
    expect(image()).toBe(imageOf("1.0"));
  }, 60_000);

  test("frees what it sees where another region does not answer, and says which", async () => {
    await hold(0);
    const probe = '{ probe: { okx: { rest: "http://127.0.0.1:7", accounts: { env: ACCOUNTS } } } }';
    const both = environmentOf("blue", "tokyo", 7)
      .replace("contexts: { tokyo: tokyo }", "contexts: { tokyo: tokyo, frankfurt: frankfurt }")
      .replace("components:", `  frankfurt: ${probe}\ncomponents:`);
    await writeFile(join(dir, "both.yaml"), both);
    await place.clusters["frankfurt"]?.close();
    const { status, stdout, stderr } = await call(["release-hold", "--env", "both.yaml", "--yes"]);
    expect([status, stderr]).toEqual([
      5,
      expect.stringMatching(/gateway in frankfurt could not be looked at: .*WORKLOAD_UNREACHABLE/s),
    ]);
    expect(stdout).toContain("gateway in tokyo is let go");
    expect(image()).toBe(imageOf("1.0"));
  }, 60_000);

  test("that knows of no run which wrote there last asks for its state, or for the word of whoever knows", async () => {
    await hold(7);
    const refused = await call(["release-hold", "--env", "blue.yaml", "--yes"]);
    expect([refused.status, refused.stderr.includes("FENCED"), refused.stderr.includes("--force")]).toEqual([
      5,
      true,
      true,
    ]);
    expect(image()).toBe(imageOf("2.0"));
    expect((await call(["release-hold", "--env", "blue.yaml", "--yes", "--force"])).status).toBe(0);
    expect(image()).toBe(imageOf("1.0"));
  }, 60_000);
});

test("as a plugin of kubectl it is the same, and says how it is called", async () => {
  const binary = join(dirname(midflightBinary()), "kubectl-midflight.js");
  const help = await midflight(["--help"], { cwd: dir, binary });
  expect(help.status).toBe(0);
  expect(help.stdout).toContain("Usage: kubectl midflight [options] [command]");
  expect(help.stdout).toContain("$ kubectl midflight upgrade plans/gateway.yaml");
  expect(help.stdout).not.toContain("$ midflight");
  expect((await midflight(["status", "--help"], { cwd: dir, binary })).stdout).toContain(
    "Usage: kubectl midflight status [options] [run]",
  );
});

test("an upgrade that lacks a right which only its undo would need is refused with the rule to add, and nothing was begun", async () => {
  place.clusters["tokyo"]?.refuse({ method: "DELETE", kind: "pods", status: 403, message: "no", times: 100 });
  const { status, stderr } = await call(["upgrade", "plan.yaml", "--env", "blue.yaml", "--yes"]);
  expect(status).toBe(5);
  expect(stderr).toContain("KUBERNETES_FORBIDDEN");
  expect(stderr).toContain("may not delete pods in namespace tokyo of tokyo");
  expect(stderr).toContain('{apiGroups: [""], resources: ["pods"], verbs: ["delete"]}');
  expect(place.clusters["tokyo"]?.asked.filter((one) => !/^(GET|WATCH) /.test(one))).toEqual([]);
  expect((await call(["runs"])).stdout).toContain("no runs in");
});

test("credentials that expired are said to be so, with the context to renew, and nothing was begun", async () => {
  const { tokyo } = placeOf();
  for (const kind of ["leases", "deployments", "horizontalpodautoscalers", "poddisruptionbudgets"] as const)
    tokyo.refuse({ method: "GET", kind, status: 401, message: "Unauthorized", times: 100 });
  for (const command of [["plan"], ["upgrade", "--yes"]]) {
    const { status, stdout, stderr } = await call([...command, "plan.yaml", "--env", "blue.yaml"]);
    expect([command[0], status]).toEqual([command[0], 5]);
    expect(`${stdout}${stderr}`).toContain("the API server of tokyo does not accept the credentials: Unauthorized");
  }
  expect((await call(["upgrade", "plan.yaml", "--env", "blue.yaml", "--yes"])).stderr).toContain(
    "renew the credentials of the context tokyo",
  );
  expect((await call(["runs"])).stdout).toContain("no runs in");
}, 60_000);

test("what an upgrade may do is asked once, a moment before it begins", async () => {
  place.clusters["tokyo"]?.deploy("tokyo", imageOf("1.0"), 3);
  expect((await call(["upgrade", "plan.yaml", "--env", "blue.yaml", "--yes"])).status).toBe(5);
  const reviewed = place.clusters["tokyo"]?.reviewed ?? [];
  expect(reviewed).toContain("delete pods");
  expect(reviewed).toEqual([...new Set(reviewed)]);
});

test("a conductor in the cluster asks for its own rights before it does anything, and ends the run refused with the rule to add", async () => {
  const starter = await openInCluster();
  starter.child.kill("SIGINT");
  await starter.ended;
  const { tokyo } = placeOf();
  expect(tokyo.reviewed).toEqual([]);
  const [job] = tokyo.list("jobs", "state");
  const run = job?.metadata.annotations?.["midflight.dev/run"] ?? "";
  tokyo.refuse({ method: "DELETE", kind: "pods", status: 403, message: "no", times: 100 });
  const conducted = await call(["conduct", run, "--state", "kubernetes:tokyo/state", "--output", "lines"]);
  // For Kubernetes the work is done: to start it again would change nothing.
  expect(conducted.status, conducted.stdout + conducted.stderr).toBe(0);
  const attached = await call(["attach", run, "--state", "kubernetes:tokyo/state", "--output", "lines"]);
  expect(attached.status).toBe(5);
  expect(attached.stdout).toContain(
    "refused: the upgrade would be stopped half-way: gateway in tokyo: may not delete pods in namespace tokyo of tokyo",
  );
  expect(attached.stdout).toContain('{apiGroups: [""], resources: ["pods"], verbs: ["delete"]}');
  const touched = tokyo.asked.filter((one) => /^(POST|PATCH|DELETE) (deployments|replicasets|pods)/.test(one));
  expect(touched).toEqual([]);
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

const JOB = `apiVersion: batch/v1
kind: Job
metadata: { name: tool }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: tool, image: registry/tool }]
`;

test.each([
  { name: "is not there", text: undefined, says: ["there is no file ./job.yaml", "plan.yaml:6:"] },
  { name: "is a Pod", text: "apiVersion: v1\nkind: Pod\n", says: ["it is no Job, but Pod of v1", "job.yaml:2:7"] },
  {
    name: "is a CronJob",
    text: JOB.replace("kind: Job", "kind: CronJob"),
    says: ["it is no Job, but CronJob", "job.yaml:2:7"],
  },
  { name: "holds two documents", text: `${JOB}---\n${JOB}`, says: ["it holds 2 documents", "job.yaml:9:1"] },
  { name: "is no YAML", text: "kind: Job\nspec: [\n", says: ["job.yaml:3:"] },
  {
    name: "wants a name made for it",
    text: JOB.replace("name: tool", "generateName: tool-"),
    says: ["states the generateName tool-", "job.yaml:3:27"],
  },
  {
    name: "names a namespace",
    text: JOB.replace("name: tool", "name: tool, namespace: prod"),
    says: ["states the namespace prod", "job.yaml:3:"],
  },
  {
    name: "restarts for ever",
    text: JOB.replace("Never", "Always"),
    says: ["states the restartPolicy Always", "job.yaml:7:22"],
  },
])(
  "a Job whose manifest $name is refused alike by check, plan and upgrade, at its line",
  async ({ text, says }) => {
    if (text !== undefined) await writeFile(join(dir, "job.yaml"), text);
    await writeFile(
      join(dir, "plan.yaml"),
      PLAN.replace("steps:\n", "steps:\n  - run: { job: { manifest: job.yaml } }\n"),
    );
    const environment = `${environmentOf("blue", "tokyo", 7)}jobs: { context: tokyo, namespace: state }\n`;
    await writeFile(join(dir, "blue.yaml"), environment);
    const env = ["--env", "blue.yaml"];
    for (const args of [
      ["check", "plan.yaml"],
      ["check", "plan.yaml", ...env],
      ["plan", "plan.yaml", ...env],
      ["upgrade", "plan.yaml", ...env],
    ]) {
      const ended = await call(args);
      expect([args[0], ended.status]).toEqual([args[0], 3]);
      for (const one of says) expect(ended.stderr).toContain(one);
    }
    expect(place.clusters["tokyo"]?.asked).toEqual([]);
  },
  60_000,
);

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
