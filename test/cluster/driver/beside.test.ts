import { describe, expect, test } from "vitest";
import { kubernetesAnnouncer } from "../../../src/adapters/kubernetes/beside/announcer.ts";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import { kubernetesHolds } from "../../../src/adapters/kubernetes/beside/holds.ts";
import type { KubernetesOptions } from "../../../src/adapters/kubernetes/api/options.ts";
import { kubernetesManagers } from "../../../src/adapters/kubernetes/beside/pausing.ts";
import { kubernetesPreflight } from "../../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { grantsFor, needsOf } from "../../../src/adapters/kubernetes/beside/rbac.ts";
import { accountOf } from "./account.ts";
import { countsIn, fence, shapeOf, untilServing, weighingOf } from "./orders.ts";
import type { Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

const { signal } = new AbortController();
const cluster = withGround();

type Driver = Place["driver"];

async function begin(replicas: number): Promise<Place> {
  const place = await cluster.place({ replicas });
  await untilServing(place, replicas);
  return place;
}

async function batch({ workload, traffic }: Driver, place: Place, [from, to, of]: readonly [number, number, number]) {
  await workload.shape("tokyo", shapeOf(place, of - from, to), fence(), signal);
  await traffic.weigh("tokyo", weighingOf(place, of - from, to), fence(), signal);
  await workload.shape("tokyo", shapeOf(place, of - to, to), fence(), signal);
}

/** The options of a place, as the account that has no other rights than those of its grant. */
async function asLittleAsNeeded({ options }: Place): Promise<KubernetesOptions> {
  const { object } = options.config;
  const placed = {
    region: "tokyo",
    context: "tokyo",
    namespace: "tokyo",
    object,
    isRolled: true,
    isPlanned: true,
    config: [],
  };
  const account = await accountOf(cluster.ground(), grantsFor([needsOf(placed)]));
  cluster.undo(account.close);
  return account.as(options);
}

describe("on a real cluster", () => {
  test("the rights that are printed for a plan are enough to roll it, and for nothing else", async () => {
    const place = await begin(2);
    const options = await asLittleAsNeeded(place);
    const driver = kubernetesDriver(options);
    const seen = (): Promise<string> =>
      countsIn(driver).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    // The API server learns of a role a little later.
    await expect.poll(seen, { timeout: 15_000, interval: 200 }).toBe("2/0");
    expect((await kubernetesPreflight(options, {}).risks("tokyo", signal)).join("\n")).toContain("no preStop hook");
    const announcer = kubernetesAnnouncer(options, "r1");
    announcer.announce({
      component: "gateway",
      regions: ["tokyo"],
      reason: "UpgradeBegan",
      note: "it begins",
      isWarning: false,
    });
    await batch(driver, place, [0, 1, 2]);
    await batch(driver, place, [1, 2, 2]);
    expect(await countsIn(driver)).toBe("0/2");
    const { metadata } = await place.deployment("tokyo");
    expect(metadata.annotations?.["midflight.dev/held"]).toBeUndefined();
    expect(await announcer.flush(10_000)).toBeUndefined();
    const told = (await cluster.ground().api.call("GET", "/apis/events.k8s.io/v1/namespaces/tokyo/events")) as {
      readonly items: readonly {
        readonly reason?: string;
        readonly reportingController?: string;
        readonly regarding?: { readonly uid?: string };
      }[];
    };
    expect(told.items.filter(({ regarding }) => regarding?.uid === metadata.uid)).toContainEqual(
      expect.objectContaining({ reason: "UpgradeBegan", reportingController: "midflight" }),
    );
    const other = kubernetesDriver({
      ...options,
      config: { ...options.config, object: { kind: "Deployment", name: "somebody-elses" } },
    });
    await expect(other.workload.observe("tokyo", signal)).rejects.toMatchObject({ code: "KUBERNETES_FORBIDDEN" });
  }, 180_000);

  test("a Deployment that a dead run left held is put back, and its controller brings the old pods back", async () => {
    const place = await begin(4);
    const before = await place.deployment("tokyo");
    await batch(place.driver, place, [0, 2, 4]);
    await place.driver.workload.shape("tokyo", shapeOf(place, 2, 3), fence(), signal);
    const holds = kubernetesHolds(place.options);
    const hold = await holds.look("tokyo", "old", signal);
    expect(hold?.dark).toHaveLength(1);
    if (hold !== undefined) await holds.release(hold, "old", fence(2), signal);
    expect((await place.deployment("tokyo")).spec).toEqual(before.spec);
    await expect.poll(() => countsIn(place.driver), { timeout: 60_000, interval: 200 }).toBe("4/0");
    await expect.poll(() => holds.look("tokyo", "old", signal), { timeout: 30_000, interval: 200 }).toBeUndefined();
  }, 180_000);

  test("a Deployment that Flux manages says while a run lasts that it is left alone, and no longer", async () => {
    const place = await begin(1);
    const path = `/apis/apps/v1/namespaces/tokyo/deployments/${place.name}`;
    const labels = { "kustomize.toolkit.fluxcd.io/name": "apps" };
    await cluster.ground().api.call("PATCH", path, { metadata: { labels } }, "application/merge-patch+json");
    const managers = kubernetesManagers(place.options);
    await managers.pause("r1", signal);
    const annotations = async () => (await place.deployment("tokyo")).metadata.annotations ?? {};
    expect(await annotations()).toMatchObject({ "kustomize.toolkit.fluxcd.io/reconcile": "disabled" });
    expect(await managers.giveBack("r1", signal)).toEqual(["the Flux kustomization apps"]);
    const left = Object.keys(await annotations());
    expect(left.filter((name) => name.includes("midflight") || name.includes("fluxcd"))).toEqual([]);
  }, 120_000);
});
