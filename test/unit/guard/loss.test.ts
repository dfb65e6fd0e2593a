import { describe, expect, test } from "vitest";
import { foldProbeContact, foldReach, goneRegions, isLost, noContact } from "../../../src/guard/loss.ts";
import { noteLosses } from "../../../src/guard/losses.ts";
import type { JudgeState } from "../../../src/guard/judge-state.ts";
import { alarmed, binAt, judged, NEW, NOW, OLD, onOld } from "../../fakes/judged.ts";

describe("counters that cannot be read", () => {
  test("are known since when, until they answer again", () => {
    const first = foldReach(noContact, {
      kind: "reach",
      at: 1_000,
      gone: ["a"],
      unreadable: [{ id: "b", why: "NaN" }],
    });
    const later = { kind: "reach", at: 2_000, gone: ["a", "c"], unreadable: [{ id: "b", why: "HTML" }] } as const;
    const second = foldReach(first, later);
    expect(second).toEqual({
      at: 2_000,
      goneSince: { a: 1_000, c: 2_000 },
      unreadable: { b: { since: 1_000, why: "HTML" } },
      probes: {},
    });
    expect(foldReach(second, { ...later, at: 3_000, gone: [], unreadable: [] })).toMatchObject({
      at: 3_000,
      goneSince: {},
      unreadable: {},
    });
  });
});

describe("probes of a region", () => {
  const probe = (at: number, failed: number, issued = 2) => binAt(at, [onOld({ source: "probes", issued, failed })]);

  test("are known by the begin of the latest bin in which one succeeded, and in which one failed", () => {
    const both = foldProbeContact(noContact, probe(1_000, 1));
    expect(both.probes).toEqual({ tokyo: { ok: 900, failed: 900 } });
    expect(foldProbeContact(both, probe(2_000, 0)).probes).toEqual({ tokyo: { ok: 1_900, failed: 900 } });
    expect(foldProbeContact(both, probe(2_000, 2)).probes).toEqual({ tokyo: { ok: 900, failed: 1_900 } });
    expect(foldProbeContact(both, probe(500, 1)).probes).toEqual(both.probes);
  });

  test("say nothing when nothing was issued, and users are no probes", () => {
    expect(foldProbeContact(noContact, probe(1_000, 0, 0)).probes).toEqual({ tokyo: { ok: 0, failed: 0 } });
    expect(foldProbeContact(noContact, binAt(1_000, [onOld()]))).toBe(noContact);
    const mixed = [onOld({ region: "frankfurt" }), onOld({ source: "probes" })];
    expect(Object.keys(foldProbeContact(noContact, binAt(1_000, mixed)).probes)).toEqual(["tokyo"]);
  });
});

describe("a region is gone", () => {
  const gone = (goneSince: Readonly<Record<string, number>>, ...instances: readonly (typeof OLD)[]) =>
    goneRegions({ ...noContact, goneSince }, instances);
  const second = { ...NEW, id: "tokyo-2" };

  test("when each instance that serves there is out of reach, since the first went", () => {
    expect(gone({ "tokyo-0": 3_000, "tokyo-1": 1_000 }, NEW, OLD)).toEqual([
      { region: "tokyo", since: 1_000, count: 2 },
    ]);
    expect(gone({ "tokyo-1": 1_000 }, NEW, OLD)).toEqual([]);
    expect(gone({ "tokyo-1": 1_000 }, { ...NEW, inTraffic: false }, OLD)).toEqual([
      { region: "tokyo", since: 1_000, count: 1 },
    ]);
    expect(gone({ "tokyo-1": 1_000 }, OLD, { ...OLD, id: "frankfurt-1", region: "frankfurt" })).toHaveLength(1);
    expect(gone({ "tokyo-1": 1_000 })).toEqual([]);
  });

  test("but a new instance that goes alone has crashed by itself, and so have new ones that go one by one", () => {
    expect(gone({ "tokyo-0": 1_000 }, NEW)).toEqual([]);
    expect(gone({ "tokyo-0": 1_000, "tokyo-2": 2_500 }, NEW, second)).toHaveLength(1);
    expect(gone({ "tokyo-0": 1_000, "tokyo-2": 2_501 }, NEW, second)).toEqual([]);
  });

  test("and lost when its probes fail since then, and none succeeds", () => {
    const region = { region: "tokyo", since: 5_000 };
    const lost = (ok: number, failed: number): boolean =>
      isLost({ ...noContact, probes: { tokyo: { ok, failed } } }, region, true);
    expect(lost(4_999, 3_500)).toBe(true);
    expect(lost(5_000, 3_500)).toBe(false);
    expect(lost(4_999, 3_499)).toBe(false);
    expect(isLost(noContact, region, true)).toBe(false);
    expect(isLost(noContact, region, false)).toBe(true);
  });
});

describe("when servers die", () => {
  const families = {
    new: alarmed(onOld()),
    old: alarmed(onOld()),
    all: alarmed(onOld()),
  };
  const dead = (more: Partial<JudgeState> = {}): JudgeState =>
    judged({
      families,
      instances: [OLD],
      contact: {
        at: NOW,
        goneSince: { "tokyo-1": NOW - 300 },
        unreadable: {},
        probes: { tokyo: { ok: NOW - 400, failed: NOW - 200 } },
      },
      pending: { since: NOW, crossed: ["new"], sources: ["live"] },
      ...more,
    });
  const reason =
    "tokyo: the only instance is out of reach, and every probe fails: the servers are gone, not the release";

  test("everything is disturbed, no release is blamed, and what was held against it is forgotten", () => {
    const state = noteLosses(dead());
    expect(state.latch).toEqual({ kind: "disturbed", since: NOW, regions: ["tokyo"], reason });
    expect(state.lost).toEqual([{ region: "tokyo", since: NOW - 300 }]);
    expect(state.lossAt).toBe(NOW - 300);
    expect(state.pending).toBeUndefined();
    expect(Object.values(state.families).map((family) => family.evidence.both)).toEqual([0, 0, 0]);
  });

  test("in two regions, both are named, and the later loss counts", () => {
    const frankfurt = ["a", "b"].map((id) => ({ ...OLD, id, region: "frankfurt" }));
    const goneSince = { "tokyo-1": NOW - 300, a: NOW - 200, b: NOW - 100 };
    const probes = { tokyo: { ok: 0, failed: NOW }, frankfurt: { ok: 0, failed: NOW } };
    const state = noteLosses(
      dead({ instances: [OLD, ...frankfurt], contact: { at: NOW, goneSince, unreadable: {}, probes } }),
    );
    expect(state.latch).toMatchObject({
      regions: ["frankfurt", "tokyo"],
      reason:
        "tokyo and frankfurt: all 3 instances are out of reach, and every probe fails: the servers are gone, not the release",
    });
    expect(state.lossAt).toBe(NOW - 200);
  });

  test("without probes there, unreadable counters are enough", () => {
    const blind = dead({ contact: { at: NOW, goneSince: { "tokyo-1": NOW }, unreadable: {}, probes: {} } });
    expect(noteLosses(blind).lost).toEqual([]);
    const settings = { ...blind.settings, probed: ["frankfurt"] };
    expect(noteLosses({ ...blind, settings }).lost).toHaveLength(1);
  });

  test("a loss that is known is not told again, and one that is over is forgotten", () => {
    const known = noteLosses(dead({ lost: [{ region: "tokyo", since: 1 }] }));
    expect(known.latch).toBeUndefined();
    expect(known.lost).toEqual([{ region: "tokyo", since: NOW - 300 }]);
    expect(known.families.new.evidence.both).toBeGreaterThan(1_000_000);
    const back = noteLosses(judged({ lost: [{ region: "tokyo", since: 1 }] }));
    expect(back.lost).toEqual([]);
    expect(back.latch).toBeUndefined();
  });

  test("a second region is told while the first stays lost", () => {
    const state = noteLosses(dead({ lost: [{ region: "frankfurt", since: 1 }] }));
    expect(state.latch?.kind).toBe("disturbed");
  });

  test("a failure stands, and so does a suspicion that is a second older", () => {
    const failing = { kind: "failing", since: NOW, regions: [], reason: "" } as const;
    expect(noteLosses(dead({ latch: failing })).latch).toBe(failing);
    expect(noteLosses(dead({ latch: failing })).lost).toHaveLength(1);
    const suspect = { ...failing, kind: "suspect", sources: [], since: NOW - 1_301 } as const;
    expect(noteLosses(dead({ latch: suspect })).latch).toBe(suspect);
    expect(noteLosses(dead({ latch: { ...suspect, since: NOW - 1_300 } })).latch?.kind).toBe("disturbed");
    expect(noteLosses(dead({ latch: { ...failing, kind: "unproved", since: 0 } })).latch?.kind).toBe("disturbed");
  });
});
