import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { guardThread } from "../../../src/adapters/guard-thread/guard-thread.ts";
import { grantsFor, needsOfProbes } from "../../../src/adapters/kubernetes/beside/rbac.ts";
import { kubernetesProber } from "../../../src/adapters/kubernetes/prober/prober.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { HttpProbe } from "../../../src/plan/model.ts";
import { toClassRules } from "../../../src/plan/to-class-rules.ts";
import { plainGuard } from "../../../src/plan/to-plan.ts";
import type { Verdict, VerdictState } from "../../../src/guard/verdict.ts";
import type { Prober } from "../../../src/ports/prober.ts";
import type { WatchedInstance, Watcher, WatchPulse } from "../../../src/ports/watcher.ts";
import { eventually } from "../../fakes/watched-venue.ts";
import { conductorImage } from "../conductor/image.ts";
import { accountOf } from "../driver/account.ts";
import { findGround, placeOn, type Ground, type Place } from "../driver/place.ts";
import { NODE } from "../facts.ts";
import { ctr } from "../images.ts";

// Probes in pods of a real cluster, in a namespace that enforces the restricted Pod Security Standard, by an account with the printed rights.
const NAMESPACE = "watchers";
const PROBERS = "app.kubernetes.io/name=midflight-probes";
const FOREVER = new AbortController().signal;
const TOKEN = "s3cret-probe-token";
let ground: Ground;
let image: string;
const undone: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  ground = await findGround();
  image = await conductorImage(ground.places);
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await make("/api/v1/namespaces", { metadata: { name: NAMESPACE, labels } });
  await make(`/api/v1/namespaces/${NAMESPACE}/secrets`, {
    metadata: { name: "probe-secrets" },
    stringData: { PROBE_TOKEN: TOKEN },
  });
}, 300_000);
afterEach(async () => {
  for (const undo of undone.splice(0).toReversed()) await undo();
});
afterAll(() => ground?.api.close());

const make = (path: string, body: object): Promise<unknown> =>
  ground.api.call("POST", path, body).catch((error: unknown) => {
    if (!String(error).includes(" 409 ")) throw error;
  });

type Named = { readonly metadata: { readonly name: string }; readonly status: PodStatus };
type PodStatus = {
  readonly phase: string;
  readonly podIP?: string;
  readonly containerStatuses?: readonly { readonly containerID?: string; readonly restartCount: number }[];
};
const listed = async (kind: "pods" | "deployments"): Promise<readonly Named[]> => {
  const group = kind === "pods" ? "api" : "apis/apps";
  const path = `/${group}/v1/namespaces/${NAMESPACE}/${kind}?labelSelector=${encodeURIComponent(PROBERS)}`;
  return ((await ground.api.call("GET", path)) as { readonly items: readonly Named[] }).items;
};
const prober = async (): Promise<Named> =>
  eventually(
    async () => (await listed("pods")).find(({ status }) => status.phase === "Running"),
    60_000,
    () => "a pod that probes",
  );

/** One pod of a release, of the Service or of none, as the guard knows it. */
async function podOf({ name }: Place, version: string, isServed: boolean): Promise<WatchedInstance> {
  const id = `${name}-${version.replace(".", "-")}-${isServed ? "served" : "dark"}`;
  const pods = "/api/v1/namespaces/tokyo/pods";
  await ground.api.call("POST", pods, {
    metadata: { name: id, labels: isServed ? { app: name } : {} },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "gateway", image: ground.images[version], imagePullPolicy: "Never" }],
    },
  });
  undone.push(() => ground.api.call("DELETE", `${pods}/${id}`).catch(() => undefined));
  const url = await eventually(
    async () => {
      const { podIP } = ((await ground.api.call("GET", `${pods}/${id}`)) as Named).status;
      const isUp = podIP !== undefined && (await fetch(`http://${podIP}:8080/`).then(Boolean, () => false));
      return isUp ? `http://${podIP}:8080` : undefined;
    },
    30_000,
    () => `${id} that answers`,
  );
  const side = version === "1.0" ? "old" : "new";
  return { id, component: "gateway", region: "tokyo", release: `gateway@${version}`, side, url, inTraffic: isServed };
}

type Seen = {
  readonly place: Place;
  readonly watcher: Watcher;
  readonly probes: Prober;
  readonly before: readonly WatchedInstance[];
  readonly verdicts: Verdict[];
  readonly pulses: WatchPulse[];
  readonly until: (state: VerdictState, ms?: number) => Promise<Verdict>;
};

/** Release 2.0 answers what counts as a failure. */
async function watch(run = "run-of-a-guard"): Promise<Seen> {
  const place = await placeOn(ground, { replicas: 2 });
  undone.push(place.close);
  const before = await eventually(
    async () => {
      const { instances } = await place.driver.workload.observe("tokyo", FOREVER);
      return instances.filter(({ ready }) => ready).length === 2
        ? instances.map(({ id, address }): WatchedInstance => ({
            id,
            component: "gateway",
            region: "tokyo",
            release: "gateway@1.0",
            side: "old",
            url: `http://${address}`,
            inTraffic: true,
          }))
        : undefined;
    },
    60_000,
    () => "two pods that serve",
  );
  const guard = { ...plainGuard(["look"]), probesPerSec: 40, deadlineMs: 1_000 };
  const probe: HttpProbe = {
    kind: "http",
    url: place.service,
    rules: "plain",
    values: { token: { env: "PROBE_TOKEN" } },
    headers: { authorization: "Bearer {token}" },
    operations: [{ name: "look", method: "GET", path: "/", headers: {}, keep: {} }],
  };
  const rules = { plain: toClassRules({ code: ["release"], codes: { ok: ["1.0"], service: ["2.0"] } }) };
  const at = { context: "tokyo", namespace: NAMESPACE };
  const account = await accountOf(ground, grantsFor([needsOfProbes(at)]), (all) => all, NAMESPACE);
  undone.push(account.close);
  const { kubeconfig } = account.as(place.options);
  const probes = kubernetesProber({
    place: { ...at, image, env: "probe-secrets" },
    environment: "test",
    region: "tokyo",
    run,
    brief: JSON.stringify({ midflight: 1, region: "tokyo", probe, guard, prefix: "mf", rules, otherOrigins: [] }),
    clock: systemClock,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  });
  const watcher = guardThread({ probers: { tokyo: probes } });
  undone.push(() => watcher.stop());
  const verdicts: Verdict[] = [];
  const pulses: WatchPulse[] = [];
  watcher.instances(before);
  await watcher.start(
    { guard, orderPrefix: "mf", regions: [{ region: "tokyo", probe, accounts: [], isRemote: true }] },
    { verdict: (verdict) => void verdicts.push(verdict), pulse: (pulse) => void pulses.push(pulse) },
  );
  return {
    place,
    watcher,
    probes,
    before,
    verdicts,
    pulses,
    until: (state, ms = 30_000) =>
      eventually(
        () => (verdicts.at(-1)?.state === state ? verdicts.at(-1) : undefined),
        ms,
        () => `${state}; ${JSON.stringify(verdicts.map((one) => [one.state, one.reason]))}`,
      ),
  };
}
const begun = async (run?: string): Promise<Seen> => {
  const seen = await watch(run);
  await seen.until("healthy");
  return seen;
};
const setSchedulable = (isSchedulable: boolean): Promise<unknown> =>
  ground.api.call(
    "PATCH",
    `/api/v1/nodes/${NODE}`,
    { spec: { unschedulable: !isSchedulable } },
    "application/merge-patch+json",
  );
const issued = ({ pulses }: Seen): number =>
  (pulses.at(-1)?.streams ?? []).reduce((sum, stream) => sum + stream.issued, 0);

describe("probes in a pod of their region", () => {
  test("are heard within a second, see a fault, keep their secret, and nothing of them is left", async () => {
    const seen = await begun();
    const { watcher, before, place } = seen;
    for (let turn = 0; turn < 5; turn++) {
      const [known, at] = [issued(seen), performance.now()];
      await eventually(
        () => (issued(seen) > known ? true : undefined),
        5_000,
        () => "newer counts",
      );
      expect(performance.now() - at).toBeLessThan(1_000);
    }
    const bad = await podOf(place, "2.0", true);
    const at = performance.now();
    watcher.instances([...before, bad]);
    watcher.mark({ id: "admit", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
    const verdict = await eventually(
      () => seen.verdicts.find(({ state }) => state === "suspect" || state === "failing"),
      20_000,
      () => "a fault that is seen",
    );
    expect(performance.now() - at).toBeLessThan(10_000);
    expect(verdict.reason).toMatch(/^look in tokyo on gateway@2\.0: \d+ of \d+ failed \(2\.0\)/);
    const { name } = (await prober()).metadata;
    const log = String(await ground.api.call("GET", `/api/v1/namespaces/${NAMESPACE}/pods/${name}/log?tailLines=50`));
    expect(log).toContain('"kind":"probes"');
    expect(log).not.toContain(TOKEN);
    expect(JSON.stringify(await listed("deployments"))).not.toContain(TOKEN);
    await watcher.stop();
    expect([await listed("deployments"), await listed("pods")]).toEqual([[], []]);
  }, 180_000);

  test("prove a pod in the dark, or refute it", async () => {
    const { watcher, before, place } = await begun();
    const good = { ...(await podOf(place, "1.0", false)), side: "new" as const };
    const bad = await podOf(place, "2.0", false);
    watcher.instances([...before, good, bad]);
    const order = { excludePct: 10, confidencePct: 95, deadlineMs: 30_000 };
    expect(await watcher.prove({ ...order, id: "good", instances: [good] }, FOREVER)).toMatchObject({ kind: "proved" });
    expect(await watcher.prove({ ...order, id: "bad", instances: [bad] }, FOREVER)).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(/^look on .*-dark \(gateway@2\.0\): \d+ of \d+ failed, mostly 2\.0$/) as string,
    });
  }, 180_000);

  test("whose container and whose pod are killed are silent, and then heard again", async () => {
    const seen = await begun();
    const killed = await prober();
    const container = killed.status.containerStatuses?.[0]?.containerID?.replace("containerd://", "") ?? "";
    await ctr(ground.places, ["tasks", "kill", "--signal", "SIGKILL", container]);
    // The kubelet may be as quick as the silence that is told.
    await eventually(
      async () => ((await prober()).status.containerStatuses?.[0]?.restartCount === 1 ? true : undefined),
      30_000,
      () => "another container",
    );
    await seen.until("healthy");
    // Another pod may be there before that is silence: so none may come for a while.
    await setSchedulable(false);
    undone.push(() => setSchedulable(true));
    await ground.api.call("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/${killed.metadata.name}`, {
      gracePeriodSeconds: 0,
    });
    const silent = await seen.until("unknown");
    expect(silent.reason).toMatch(/no outcome of look in tokyo for \d\.\d s: the probes of tokyo .*no node takes it/);
    await setSchedulable(true);
    await seen.until("healthy");
    expect((await prober()).metadata.name).not.toBe(killed.metadata.name);
  }, 180_000);

  test("that a dead run left are removed by the next one", async () => {
    const place = await placeOn(ground, { replicas: 1 });
    undone.push(place.close);
    const left = kubernetesProber({
      place: { context: "tokyo", namespace: NAMESPACE, image, env: "probe-secrets" },
      environment: "test",
      region: "tokyo",
      run: "run-that-died",
      brief: "{}",
      clock: systemClock,
      ...(place.options.kubeconfig === undefined ? {} : { kubeconfig: place.options.kubeconfig }),
    });
    const dead = new AbortController();
    undone.push(() => left.stop());
    await left.start({ line: () => undefined, trouble: () => undefined }, dead.signal);
    left.order("{}");
    expect(await listed("deployments")).toHaveLength(1);
    await begun("run-that-lives");
    await expect.poll(async () => (await listed("deployments")).length, { timeout: 60_000, interval: 200 }).toBe(1);
    const [only] = await listed("deployments");
    expect(JSON.stringify(only)).toContain("run-that-lives");
  }, 180_000);
});
