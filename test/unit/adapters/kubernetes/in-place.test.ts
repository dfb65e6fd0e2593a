import { describe, expect, test } from "vitest";
import { leavers } from "../../../../src/adapters/kubernetes/in-place/judge-set.ts";
import {
  freeSetFields,
  heldSetFields,
  placesOf,
  setHeldIn,
  setHoldOf,
  setPatchFor,
  type SetHeld,
} from "../../../../src/adapters/kubernetes/in-place/set-held.ts";
import { placesOnce, type SetSight } from "../../../../src/adapters/kubernetes/in-place/set-site.ts";
import { standInOf } from "../../../../src/adapters/kubernetes/in-place/stand-in.ts";
import { HELD } from "../../../../src/adapters/kubernetes/hold.ts";
import type { PodSet, Template } from "../../../../src/adapters/kubernetes/api/objects.ts";
import type { SeenPod } from "../../../../src/adapters/kubernetes/sight.ts";

const OLD = `sha256:${"1".repeat(64)}`;
const NEW = `sha256:${"2".repeat(64)}`;
const templateOf = (digest: string): Template => ({
  metadata: { labels: { app: "gateway" } },
  spec: { containers: [{ name: "gateway", image: `registry/gateway@${digest}` }] },
});
const SET: PodSet = {
  metadata: { name: "gateway", uid: "set", resourceVersion: "7" },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: "gateway" } },
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 1 } },
    template: templateOf(OLD),
  },
};
const HOLD: SetHeld = { ...setHoldOf(SET, OLD), after: { digest: NEW, template: templateOf(NEW) } };
const podOf = (name: string, digest: string, isReady = true): SeenPod => ({
  pod: {
    metadata: { name, uid: name, resourceVersion: "1", labels: { "midflight.dev/ordinal": name.slice(-1) } },
    spec: { containers: [] },
  },
  digest,
  image: `registry/gateway@${digest}`,
  isReady,
  weightPct: isReady ? 100 : 0,
});

describe("what is held of a set", () => {
  test("a StatefulSet gives the highest places to the new template, and all of them back to the old one", () => {
    const two: SetHeld = { ...HOLD, ordered: { template: "after", fresh: 2, places: 4 } };
    expect(heldSetFields("StatefulSet", two)).toEqual({
      replicas: 4,
      template: templateOf(NEW),
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2, maxUnavailable: 1 } },
    });
    expect(placesOf(two, 4)).toEqual({ before: 2, after: 2 });
    const back: SetHeld = { ...HOLD, ordered: { template: "before", fresh: 0, places: 4 } };
    expect(heldSetFields("StatefulSet", back)).toMatchObject({
      template: templateOf(OLD),
      updateStrategy: { rollingUpdate: { partition: 0 } },
    });
    expect(placesOf(back, 4)).toEqual({ before: 4, after: 0 });
  });

  test("a DaemonSet replaces nothing by itself, and gets its own strategy again", () => {
    const held: SetHeld = { ...HOLD, ordered: { template: "after", fresh: 4, places: 4 } };
    expect(heldSetFields("DaemonSet", held).updateStrategy).toEqual({ type: "OnDelete" });
    expect(freeSetFields("DaemonSet", held)).toEqual({
      replicas: 4,
      template: templateOf(NEW),
      updateStrategy: SET.spec.updateStrategy,
    });
  });

  test("a record that nothing was ordered with changes no field, and is read again as it was written", () => {
    const patch = setPatchFor(SET, { epoch: 1, seq: 2 }, { held: HOLD, fields: heldSetFields("StatefulSet", HOLD) });
    expect(patch.filter(({ path }) => path.startsWith("/spec"))).toEqual([]);
    const annotations = { [HELD]: JSON.stringify(HOLD) };
    expect(setHeldIn({ ...SET, metadata: { ...SET.metadata, annotations } })).toEqual(HOLD);
  });

  test.each(["no JSON", '{"format":2}'])("a record that reads %s is refused", (text) => {
    const set: PodSet = { ...SET, metadata: { ...SET.metadata, annotations: { [HELD]: text } } };
    expect(() => setHeldIn(set)).toThrow(/is not a record that this version can read/);
  });
});

describe("while a place changes hands", () => {
  const held: SetHeld = {
    ...HOLD,
    ordered: { template: "after", fresh: 1, places: 4 },
    admitted: ["gateway-dark-222222-1"],
  };
  const set: PodSet = { ...SET, metadata: { ...SET.metadata, annotations: { [HELD]: JSON.stringify(held) } } };
  const standIn = podOf("gateway-dark-222222-1", NEW);
  const sightWith = (pods: readonly SeenPod[], dark: readonly SeenPod[]): SetSight => ({
    set,
    kind: "StatefulSet",
    places: 4,
    pods,
    dark,
  });

  test.each<{ name: string; pods: readonly SeenPod[]; dark: readonly SeenPod[]; shown: string }>([
    { name: "nobody is there yet", pods: [], dark: [standIn], shown: "gateway-dark-222222-1" },
    {
      name: "who comes does not serve yet",
      pods: [podOf("gateway-3", NEW, false)],
      dark: [standIn],
      shown: "gateway-dark-222222-1",
    },
    { name: "who comes serves", pods: [podOf("gateway-3", NEW)], dark: [standIn], shown: "gateway-3" },
    { name: "who stood in is gone", pods: [podOf("gateway-3", NEW)], dark: [], shown: "gateway-3" },
  ])("it is counted once: $name", ({ pods, dark, shown }) => {
    const sight = placesOnce(sightWith(pods, dark));
    expect([...sight.pods, ...sight.dark].map(({ pod }) => pod.metadata.name)).toEqual([shown]);
  });
});

describe("who leaves next where a whole release goes", () => {
  const well = (count: number, digest = NEW): readonly SeenPod[] =>
    Array.from({ length: count }, (_, index) => podOf(`gateway-${digest.slice(7, 8)}${index}`, digest));
  const sick = podOf("sick", NEW, false);

  test.each<{ name: string; leaving: readonly SeenPod[]; staying: number; places: number; leave: number }>([
    { name: "as many as leave half of the places served", leaving: well(6), staying: 0, places: 6, leave: 3 },
    { name: "all that are left, once the others serve half", leaving: well(3), staying: 3, places: 6, leave: 3 },
    { name: "nobody who serves while too many are missing", leaving: well(3), staying: 0, places: 6, leave: 0 },
    { name: "whoever does not serve, at once", leaving: [...well(3), sick], staying: 0, places: 6, leave: 1 },
    { name: "the only one there is", leaving: well(1), staying: 0, places: 1, leave: 1 },
  ])("$name", ({ leaving, staying, places, leave }) => {
    expect(leavers(leaving, [...leaving, ...well(staying, OLD)], places)).toHaveLength(leave);
  });

  test("whoever does not serve goes before those who do", () => {
    const all = [...well(2), sick, ...well(1, OLD)];
    expect(leavers([...well(2), sick], all, 4)[0]?.pod.metadata.name).toBe("sick");
  });
});

test("a pod that stands in has an empty volume for each claim, beside the volumes of its template", () => {
  const template: Template = { spec: { ...templateOf(NEW).spec, volumes: [{ name: "tmp" }] } };
  const claims: PodSet = {
    ...SET,
    spec: { ...SET.spec, volumeClaimTemplates: [{ metadata: { name: "book" } }] },
  };
  expect(standInOf({ digest: NEW, template }, claims).template.spec.volumes).toEqual([
    { name: "tmp" },
    { name: "book", emptyDir: {} },
  ]);
  expect(standInOf({ digest: NEW, template }, SET).template).toBe(template);
});
