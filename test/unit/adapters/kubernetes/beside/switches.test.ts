import { describe, expect, test } from "vitest";
import type { PatchOp } from "../../../../../src/adapters/kubernetes/api/patch.ts";
import type { Managed, Metadata } from "../../../../../src/adapters/kubernetes/api/objects.ts";
import {
  giveBackPatch,
  PAUSED,
  pausePatch,
  switchesOf,
  waitsFor,
  type Switch,
} from "../../../../../src/adapters/kubernetes/beside/switches.ts";
import type { KubernetesObject } from "../../../../../src/plan/model.ts";

const GATEWAY: KubernetesObject = { kind: "Deployment", name: "gateway" };
const ARGO = "argocd.argoproj.io/skip-reconcile";

test.each<{ name: string; by: Pick<Metadata, "labels" | "annotations">; expected: readonly Partial<Switch>[] }>([
  {
    name: "an Argo CD application by its own object, in Argo CD's namespace",
    by: { annotations: { "argocd.argoproj.io/tracking-id": "venue:apps/Deployment:venue/gateway" } },
    expected: [
      { resource: "applications", namespace: "argocd", name: "venue", at: { annotation: ARGO }, value: "true" },
    ],
  },
  {
    name: "an application in a namespace of its own",
    by: { labels: { "argocd.argoproj.io/instance": "team_venue" } },
    expected: [{ resource: "applications", namespace: "team", name: "venue" }],
  },
  {
    name: "a Flux kustomization by the Deployment itself",
    by: { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } },
    expected: [
      {
        resource: "deployments",
        name: "gateway",
        at: { annotation: "kustomize.toolkit.fluxcd.io/reconcile" },
        value: "disabled",
      },
    ],
  },
  {
    name: "a Flux Helm release by its own object",
    by: {
      labels: { "helm.toolkit.fluxcd.io/name": "venue", "helm.toolkit.fluxcd.io/namespace": "flux-system" },
      annotations: { "meta.helm.sh/release-name": "venue" },
    },
    expected: [
      { resource: "helmreleases", namespace: "flux-system", name: "venue", at: { spec: "suspend" }, value: true },
    ],
  },
  {
    name: "Helm by nothing: nobody runs it by himself",
    by: { annotations: { "meta.helm.sh/release-name": "venue" } },
    expected: [],
  },
])("is told to wait: $name", ({ by, expected }) => {
  const switches = switchesOf(GATEWAY, by);
  expect(switches).toHaveLength(expected.length);
  expected.forEach((one, index) => expect(switches[index]).toMatchObject(one));
});

test("a StatefulSet that a Flux kustomization manages says it itself too", () => {
  const labels = { "kustomize.toolkit.fluxcd.io/name": "apps" };
  expect(switchesOf({ kind: "StatefulSet", name: "book" }, { labels })).toMatchObject([
    { resource: "statefulsets", name: "book" },
  ]);
});

const [argo] = switchesOf(GATEWAY, { labels: { "argocd.argoproj.io/instance": "venue" } });
const [helm] = switchesOf(GATEWAY, { labels: { "helm.toolkit.fluxcd.io/name": "venue" } });
const objectOf = (annotations?: Readonly<Record<string, string>>, spec?: Managed["spec"]): Managed => ({
  metadata: { name: "venue", uid: "u", resourceVersion: "7", ...(annotations === undefined ? {} : { annotations }) },
  ...(spec === undefined ? {} : { spec }),
});

/** As an API server carries it out. */
function patched(object: Managed, ops: readonly PatchOp[] | undefined): Managed {
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  const spec: Record<string, unknown> = { ...object.spec };
  for (const op of ops ?? []) {
    const [, root = "", second = "", third = ""] = op.path.split("/").map((part) => part.replaceAll("~1", "/"));
    const [place, key]: [Record<string, unknown>, string] = root === "spec" ? [spec, second] : [annotations, third];
    if (key === "") continue;
    if (op.op === "remove") delete place[key];
    else place[key] = op.value;
  }
  return { metadata: { ...object.metadata, annotations }, spec };
}

const known = (one: Switch | undefined): Switch => {
  if (one === undefined) throw new Error("there is no switch");
  return one;
};

describe("whoever waits for a run", () => {
  test.each<{ name: string; one: Switch; before: Managed }>([
    { name: "was never paused, and had no annotations", one: known(argo), before: objectOf() },
    { name: "had the switch off", one: known(argo), before: objectOf({ [ARGO]: "false", team: "venue" }) },
    { name: "was paused by a person, and stays so", one: known(argo), before: objectOf({ [ARGO]: "true" }) },
    { name: "has its switch in its spec", one: known(helm), before: objectOf({}, { interval: "1m" }) },
    { name: "had the switch in its spec off", one: known(helm), before: objectOf({}, { suspend: false }) },
  ])("is afterwards as before when it $name", ({ one, before }) => {
    const paused = patched(before, pausePatch(before, one, "r1"));
    expect(waitsFor(paused)).toEqual(["r1"]);
    expect("annotation" in one.at ? paused.metadata.annotations?.[one.at.annotation] : paused.spec?.[one.at.spec]).toBe(
      one.value,
    );
    expect(patched(paused, giveBackPatch(paused, one, "r1"))).toEqual(patched(before, []));
  });

  test("goes on only when the last run that it waits for has ended", () => {
    const one = known(argo);
    const first = patched(objectOf(), pausePatch(objectOf(), one, "r1"));
    const both = patched(first, pausePatch(first, one, "r2"));
    const left = patched(both, giveBackPatch(both, one, "r1"));
    expect([waitsFor(left), left.metadata.annotations?.[ARGO]]).toEqual([["r2"], "true"]);
    expect(patched(left, giveBackPatch(left, one, "r2")).metadata.annotations).toEqual({});
  });

  test("is not told twice, and not let go by a run that it does not wait for", () => {
    const one = known(argo);
    const paused = patched(objectOf(), pausePatch(objectOf(), one, "r1"));
    expect(pausePatch(paused, one, "r1")).toBeUndefined();
    expect(giveBackPatch(paused, one, "r2")).toBeUndefined();
    expect(giveBackPatch(objectOf(), one, undefined)).toBeUndefined();
  });

  test("keeps what somebody else set meanwhile", () => {
    const one = known(argo);
    const paused = patched(objectOf(), pausePatch(objectOf(), one, "r1"));
    const changed = objectOf({ ...paused.metadata.annotations, [ARGO]: "false" });
    expect(patched(changed, giveBackPatch(changed, one, undefined)).metadata.annotations).toEqual({ [ARGO]: "false" });
  });

  test("is written to only as it was read", () => {
    const [version] = pausePatch(objectOf(), known(argo), "r1") ?? [];
    expect(version).toEqual({ op: "replace", path: "/metadata/resourceVersion", value: "7" });
  });

  test("under a record that nobody can read waits for nobody", () => {
    expect(waitsFor(objectOf({ [PAUSED]: "mine" }))).toEqual([]);
  });
});
