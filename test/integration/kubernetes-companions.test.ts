import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { load, type Loaded } from "../../src/cli/files/load.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { accompany } from "../../src/cli/run/companions.ts";
import { refuseForbidden, risksSeen } from "../../src/cli/run/preflight.ts";
import { begin } from "../../src/engine/begin.ts";
import type { Run } from "../../src/engine/run.ts";
import { imageOf, kubePlace, type KubePlace } from "../fakes/kube-place.ts";
import { scratch } from "../support/scratch.ts";

// What goes along with a run on Kubernetes and decides nothing in it: managers that wait, events at the Deployments.
const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";
const folder = scratch();
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

type Stage = {
  readonly place: KubePlace;
  readonly io: CliIo;
  readonly loaded: Loaded;
  readonly said: readonly string[];
  reconciles(region: string): string | undefined;
  reasons(region: string): readonly (string | undefined)[];
};

/** Two regions, whose Deployments a Flux kustomization manages. */
async function stand(): Promise<Stage> {
  const place = await kubePlace({ replicas: 2 });
  places.push(place);
  for (const [region, cluster] of Object.entries(place.clusters)) {
    const deployment = cluster.get("deployments", region, "gateway");
    if (deployment === undefined) throw new Error(`${region} has no Deployment`);
    const labels = { "kustomize.toolkit.fluxcd.io/name": "apps" };
    cluster.put("deployments", region, { ...deployment, metadata: { ...deployment.metadata, labels } });
  }
  const dir = folder();
  const file = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  file("kubeconfig", place.options.kubeconfig ?? "");
  file("plan.yaml", PLAN);
  file("prod.yaml", ENVIRONMENT);
  file("releases.yaml", `midflight: 1\nreleases:\n  gateway@2.0: { kubernetes: { image: "${imageOf("2.0")}" } }\n`);
  const said: string[] = [];
  const io: CliIo = {
    cwd: dir,
    env: { THE_KUBECONFIG: join(dir, "kubeconfig"), ACCOUNTS: "[]" },
    print: () => {},
    say: (text) => void said.push(text),
    stdout: { isTTY: false, columns: 0 },
    stderr: { isTTY: false },
    stdin: { isTTY: false },
    question: () => Promise.resolve(undefined),
    onSignal: () => () => {},
    version: "test",
    node: "v24",
  };
  return {
    place,
    io,
    loaded: await load(io, "plan.yaml", { env: "prod.yaml" }),
    said,
    reconciles: (region) =>
      place.clusters[region]?.get("deployments", region, "gateway")?.metadata.annotations?.[RECONCILE],
    reasons: (region) => (place.clusters[region]?.list("events", region) ?? []).map(({ reason }) => reason),
  };
}

const ENVIRONMENT = `midflight: 1
environment: prod
class: demo
regions:
  tokyo: { probe: { okx: { rest: "http://127.0.0.1:7", accounts: { env: ACCOUNTS } } } }
  frankfurt: { probe: { okx: { rest: "http://127.0.0.1:7", accounts: { env: ACCOUNTS } } } }
components:
  gateway: { driver: kubernetes, deployment: gateway, service: gateway, contexts: { tokyo: tokyo, frankfurt: frankfurt }, instances: 2, port: 8080, kubeconfig: { env: THE_KUBECONFIG }, pause: true }
`;
const PLAN = `midflight: 1
plan: pods
components:
  gateway: { release: gateway@2.0 }
steps:
  - roll: gateway
    waves: [{ regions: [tokyo, frankfurt], batch: 1, surge: 1, soak: 5s }]
`;

const runOf = ({ loaded }: Stage, phase: Run["phase"]): Run => ({
  ...begin({
    kind: "opened",
    run: "r1",
    graph: loaded.graph,
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  }).run,
  phase,
});
const STEM = { at: "2026-11-21T12:00:00.000Z", run: "r1", message: "a message" };

test("managers wait from the start of a run to its end, in every region, and what became of it stands at the Deployments", async () => {
  const stage = await stand();
  const along = await accompany({ io: stage.io, loaded: stage.loaded, run: "r1", isNew: true });
  expect([stage.reconciles("tokyo"), stage.reconciles("frankfurt")]).toEqual(["disabled", "disabled"]);
  along.heed({ ...STEM, kind: "before-recorded", components: ["gateway"] });
  along.heed({ ...STEM, kind: "ended", outcome: "promoted" });
  await along.leave(runOf(stage, { kind: "ended", outcome: "promoted", text: "done" }));
  expect([stage.reconciles("tokyo"), stage.reconciles("frankfurt")]).toEqual([undefined, undefined]);
  for (const region of ["tokyo", "frankfurt"]) expect(stage.reasons(region)).toEqual(["UpgradeBegan", "Promoted"]);
  expect(stage.said.filter((line) => line.includes("goes on"))).toEqual(["the Flux kustomization apps goes on"]);
});

test("while a run that halted can be resumed they go on waiting, and it is said how they are freed", async () => {
  const stage = await stand();
  const along = await accompany({ io: stage.io, loaded: stage.loaded, run: "r1", isNew: true });
  along.heed({ ...STEM, kind: "halted", code: "FOREIGN_CHANGE", why: "somebody else" });
  await along.leave(runOf(stage, { kind: "halted", code: "FOREIGN_CHANGE", why: "somebody else" }));
  expect(stage.reconciles("tokyo")).toBe("disabled");
  expect(stage.said.join("\n")).toContain("midflight release-hold gateway --env ");
  const again = await accompany({ io: stage.io, loaded: stage.loaded, run: "r1", isNew: false });
  await again.leave(runOf(stage, { kind: "ended", outcome: "undone", text: "done" }));
  expect(stage.reconciles("tokyo")).toBeUndefined();
});

test("a run that never began leaves nobody waiting", async () => {
  const stage = await stand();
  const along = await accompany({ io: stage.io, loaded: stage.loaded, run: "r1", isNew: true });
  await along.leave(undefined);
  expect([stage.reconciles("tokyo"), stage.reconciles("frankfurt")]).toEqual([undefined, undefined]);
});

test("a new run does not begin where one of them cannot be told, and a run that is picked up again goes on with a warning", async () => {
  const stage = await stand();
  const refusal = { method: "PATCH", kind: "deployments" as const, status: 403, message: "no", times: 100 };
  stage.place.clusters["frankfurt"]?.refuse(refusal);
  const order = { io: stage.io, loaded: stage.loaded, run: "r1" };
  await expect(accompany({ ...order, isNew: true })).rejects.toMatchObject({ code: "MANAGER_NOT_PAUSED" });
  expect(stage.reconciles("tokyo")).toBeUndefined();
  await accompany({ ...order, isNew: false });
  expect(stage.said.join("\n")).toContain("warning: the Flux kustomization apps in frankfurt (frankfurt)");
});

test("what is so in two regions is told once", async () => {
  const { io, loaded, place } = await stand();
  const risks = await risksSeen(io, loaded);
  expect(risks).toContainEqual(
    expect.stringContaining("gateway in tokyo, frankfurt: the Flux kustomization apps waits while the run lasts"),
  );
  await place.clusters["frankfurt"]?.close();
  expect(await risksSeen(io, loaded)).toContainEqual(
    expect.stringMatching(/^gateway in frankfurt: was not looked at beforehand: /),
  );
});

test("a run that lacks a right does not begin, also one that only its undo would need, and all of them are told with their rules", async () => {
  const { io, loaded, place } = await stand();
  await refuseForbidden(io, loaded);
  const refuse = (region: string, method: string, kind: "pods" | "replicasets") =>
    place.clusters[region]?.refuse({ method, kind, status: 403, message: "no", times: 100 });
  refuse("tokyo", "DELETE", "pods");
  refuse("tokyo", "POST", "pods");
  refuse("frankfurt", "PATCH", "replicasets");
  const rules = [
    'gateway in tokyo: may not create, delete pods in namespace tokyo of tokyo; add to a Role of this user in namespace tokyo: {apiGroups: [""], resources: ["pods"], verbs: ["create", "delete"]}',
    'gateway in frankfurt: may not patch replicasets in namespace frankfurt of frankfurt; add to a Role of this user in namespace frankfurt: {apiGroups: ["apps"], resources: ["replicasets"], verbs: ["patch"]}',
  ];
  await expect(refuseForbidden(io, loaded)).rejects.toMatchObject({
    code: "KUBERNETES_FORBIDDEN",
    message: `the upgrade would be stopped half-way: ${rules.join("; ")}`,
    hint: expect.stringContaining("midflight rbac"),
  });
  expect(await risksSeen(io, loaded)).toEqual(expect.arrayContaining(rules));
  expect(
    Object.values(place.clusters).flatMap(({ asked }) => asked.filter((one) => !/^(GET|WATCH) /.test(one))),
  ).toEqual([]);
});

test("a cluster that does not answer is not called one that forbids", async () => {
  const { io, loaded, place } = await stand();
  await place.clusters["frankfurt"]?.close();
  await expect(refuseForbidden(io, loaded)).resolves.toBeUndefined();
});
