import { describe, expect, test } from "vitest";
import { kubernetesAnnouncer } from "../../../src/adapters/kubernetes/beside/announcer.ts";
import { darkName } from "../../../src/adapters/kubernetes/dark-pod.ts";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import type { KubernetesOptions } from "../../../src/adapters/kubernetes/api/options.ts";
import { kubernetesPreflight } from "../../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { rolling, type Right } from "../../../src/adapters/kubernetes/beside/rights.ts";
import type { KubernetesKind } from "../../../src/plan/model.ts";
import { takeInRegion } from "../../fakes/kube-lease.ts";
import { accountOf, grantsOf, type Account, type Rule } from "./account.ts";
import { fence, shapeOf, untilServing, weighingOf } from "./orders.ts";
import type { Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

// That the printed rights are enough, and that none of them is too much: on the real cluster, as an account that has these and no others.
const { signal } = new AbortController();
const cluster = withGround();

async function begin(kind: KubernetesKind, replicas: number): Promise<Place> {
  const place = await cluster.place({ kind, replicas });
  await untilServing(place, replicas);
  return place;
}

/** Everything that a printed Role allows, one verb at one resource each. */
type Single = { readonly resource: string; readonly group: string; readonly verb: string };
const singlesOf = (rights: readonly Right[]): readonly Single[] =>
  rights.flatMap(({ resource, subresource, verbs }) => {
    const [plural = "", ...group] = resource.split(".");
    const name = subresource === undefined ? plural : `${plural}/${subresource}`;
    return verbs.map((verb) => ({ resource: name, group: group.join("."), verb }));
  });

/** `events` are those of two APIs. */
const without =
  ({ resource, group, verb }: Single) =>
  (rules: readonly Rule[]): readonly Rule[] =>
    rules
      .map((rule) =>
        rule.resources[0] === resource && (resource !== "events" || rule.apiGroups[0] === group)
          ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) }
          : rule,
      )
      .filter(({ verbs }) => verbs.length > 0);

async function account(options: KubernetesOptions, left?: Single): Promise<Account> {
  const made = await accountOf(cluster.ground(), grantsOf(options), left === undefined ? undefined : without(left));
  cluster.undo(made.close);
  return made;
}

/** A plan that rolls it. */
const INTENT = { drain: { noticeMs: 0, deadlineMs: 10_000 } };
const preflightAs = (one: Account, options: KubernetesOptions) => kubernetesPreflight(one.as(options), INTENT);

/** The API server learns of a role a little later: until then everything is missing. */
async function missingOnce(one: Account, options: KubernetesOptions, count: number): Promise<readonly string[]> {
  let missing: readonly string[] = [];
  await expect
    .poll(
      async () => {
        missing = await preflightAs(one, options).missingRights("tokyo", signal);
        return missing.length;
      },
      { timeout: 15_000, interval: 100 },
    )
    .toBe(count);
  return missing;
}

/** All of a component becomes new, as the engine orders it: in the dark, in traffic, and the old ones leave. */
async function story(options: KubernetesOptions, place: Place, count: number): Promise<void> {
  const { workload, traffic } = kubernetesDriver(options);
  const isBeside = place.options.config.object.kind === "Deployment";
  // As two runs take it, one after the other.
  for (const run of ["r1", "r2"]) await (await takeInRegion(options, "tokyo", { key: place.name, run })).release();
  await workload.observe("tokyo", signal);
  await workload.shape("tokyo", shapeOf(place, count, count), fence(), signal);
  if (isBeside) await traffic.weigh("tokyo", weighingOf(place, count, count), fence(), signal);
  await workload.shape("tokyo", shapeOf(place, 0, count), fence(), signal);
}

describe.each<KubernetesKind>(["Deployment", "StatefulSet", "DaemonSet"])("the rights for a %s", (kind) => {
  test("are enough to upgrade it, and an account that lacks any one of them is told which before anything begins", async () => {
    const place = await begin(kind, 1);
    const { options } = place;
    const singles = singlesOf(rolling(kind));
    const enough = await account(options);
    const lacking: Account[] = [];
    for (const left of singles) lacking.push(await account(options, left));
    await missingOnce(enough, options, 0);
    for (const [index, { resource, verb }] of singles.entries()) {
      const one = lacking[index];
      if (one === undefined) throw new Error("no account");
      const [missing] = await missingOnce(one, options, 1);
      expect(missing).toMatch(new RegExp(`^may not ${verb} ${resource.split("/")[0] ?? ""}`));
      expect(missing).toContain(`resources: ["${resource}"], verbs: ["${verb}"]`);
    }
    await story(enough.as(options), place, 1);
    const { instances } = await place.driver.workload.observe("tokyo", signal);
    expect(instances.map(({ digest, weightPct }) => [digest, weightPct])).toEqual([[place.release("2.0").digest, 100]]);
  }, 180_000);
});

/** It only tidies up: a run that lost this right meanwhile ends all the same. */
const isTidying = ({ resource, verb }: Single): boolean => resource === "replicasets" && verb === "patch";

const isHolding = ({ resource, verb }: Single): boolean => resource === "leases" && verb !== "patch";

test.each(singlesOf(rolling("Deployment")).filter((left) => !isTidying(left)))(
  "an upgrade that may not $verb $resource says so, where it meets it",
  async (left) => {
    const place = await begin("Deployment", 1);
    const one = await account(place.options, left);
    await missingOnce(one, place.options, 1);
    // A name that somebody else took: whose it is has to be looked up.
    if (left.resource === "pods" && left.verb === "get") await takeName(place);
    await expect(story(one.as(place.options), place, 1)).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      // A lease that cannot be had says besides where the component cannot be held.
      message: expect.stringMatching(
        new RegExp(`^${isHolding(left) ? "\\S+ cannot be held in tokyo: " : ""}may not ${left.verb} ${left.resource}`),
      ),
      hint: expect.stringContaining(`resources: ["${left.resource}"], verbs: ["${left.verb}"]`),
    });
  },
  120_000,
);

async function takeName({ name, release }: Place): Promise<void> {
  const pod = darkName(name, release("2.0").digest, 1);
  await cluster.ground().api.call("POST", "/api/v1/namespaces/tokyo/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod },
    spec: { containers: [{ name: "gateway", image: cluster.ground().images["1.0"], imagePullPolicy: "Never" }] },
  });
  cluster.undo(() =>
    cluster.ground().api.call("DELETE", `/api/v1/namespaces/tokyo/pods/${pod}`, { gracePeriodSeconds: 0 }),
  );
}

test("what only warns or tells is not missed by an upgrade, and it is said what was not looked at or written", async () => {
  const { options } = await begin("Deployment", 1);
  for (const resource of ["horizontalpodautoscalers", "poddisruptionbudgets"]) {
    const lacking = await account(options, { resource, group: "", verb: "list" });
    await missingOnce(lacking, options, 0);
    const risks = await preflightAs(lacking, options).risks("tokyo", signal);
    expect(risks.filter((risk) => risk.includes("not looked at"))).toEqual([
      expect.stringContaining(`its ${resource} were not looked at: may not list ${resource}`),
    ]);
  }
  const silent = await account(options, { resource: "events", group: "events.k8s.io", verb: "create" });
  await missingOnce(silent, options, 0);
  const announcer = kubernetesAnnouncer(silent.as(options), "r1");
  announcer.announce({ component: "gateway", regions: ["tokyo"], reason: "Told", note: "it is", isWarning: false });
  expect(await announcer.flush(10_000)).toMatch(
    /may not create events.*apiGroups: \["events\.k8s\.io"\], resources: \["events"\], verbs: \["create"\]/,
  );
}, 120_000);
