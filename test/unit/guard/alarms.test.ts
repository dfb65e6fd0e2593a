import { describe, expect, test } from "vitest";
import { noteAlarms } from "../../../src/guard/alarms.ts";
import { comparisonEvidence, shareEvidence } from "../../../src/guard/comparison.ts";
import type { Count } from "../../../src/guard/count.ts";
import { freshFamily, type Family } from "../../../src/guard/family.ts";
import type { FamilyName, JudgeState, Latch } from "../../../src/guard/judge-state.ts";
import { noContact } from "../../../src/guard/loss.ts";
import { freshEvidence } from "../../../src/guard/strata.ts";
import type { Window } from "../../../src/guard/window.ts";
import { alarmed, binAt, GUARD, judged, NEW, NOW, OLD, onNew, onOld, SETTINGS, twice } from "../../fakes/judged.ts";

const bad = onNew({ failed: 5, codes: { "50026": 5 } });
const metadata = { kind: "metadata", at: NOW - 500, component: "orders-db", regions: [] } as const;
const none = { kind: "none" } as const;
const latched = (kind: "unproved" | "disturbed" | "failing"): Latch => ({ kind, since: 0, reason: "", regions: [] });

/** A state in which these families are in alarm, because live operations failed. */
const alarm = (crossed: readonly FamilyName[], more: Partial<JudgeState> = {}): JudgeState => {
  const of = (name: FamilyName): Family => (crossed.includes(name) ? alarmed(onOld()) : freshFamily);
  const families = { new: of("new"), old: of("old"), all: of("all") };
  return judged({ families, window: twice(bad, onOld()), ...more });
};
const told = (state: JudgeState): string => {
  const { latch } = noteAlarms(state);
  return latch === undefined ? "nothing" : `${latch.kind}: ${latch.reason}`;
};

describe("an alarm of new instances", () => {
  const sentence = "order in tokyo on gateway@2.0: 10 of 20 failed (50026), 0 of 20 on gateway@1.0";

  test("while the old ones are well is a suspicion, which those can clear who raised it", () => {
    const state = noteAlarms(alarm(["new"]));
    expect(state.latch).toEqual({
      kind: "suspect",
      since: NOW,
      regions: ["tokyo"],
      reason: sentence,
      sources: ["live"],
    });
    expect(state.clearing).toEqual({ probes: freshEvidence(NOW), live: freshEvidence(NOW) });
    expect(state.pending).toBeUndefined();
  });

  test("begins to gather evidence again, and from now on counts being worse than the old side", () => {
    const before = alarm(["new"]);
    const state = noteAlarms(before);
    expect(before.families.new.evidence.both).toBeGreaterThan(5_184_000);
    expect(state.families.new.evidence.both).toBe(0);
    expect(comparisonEvidence(state.comparison)).toBe(5_184_000 / 500);
    expect(shareEvidence(state.comparison, "refused")).toBe(0);
  });

  test("alone begins to count being worse than the old side: one of old instances or of all does not", () => {
    const before = alarm(["old", "all"]);
    expect(comparisonEvidence(noteAlarms(before).comparison)).toBe(comparisonEvidence(before.comparison));
  });

  test("begins it also when others raise one with it, and never without one of its own", () => {
    expect(comparisonEvidence(noteAlarms(alarm(["new", "old", "all"])).comparison)).toBe(5_184_000 / 500);
    const pending = { since: NOW - 100, crossed: ["all"], sources: ["live"] } as const;
    expect(comparisonEvidence(noteAlarms(alarm([], { pending })).comparison)).toBe(0);
  });

  test("is none before the evidence is there, and leaves everything as it is", () => {
    const quiet = alarm([]);
    expect(noteAlarms(quiet)).toBe(quiet);
  });

  test("is cleared by nobody whose part in the evidence is less than a fifth", () => {
    const seenBy = (probes: number, live: number): unknown => {
      const family = { ...freshFamily, evidence: { probes, live, both: probes + live } };
      const { latch } = noteAlarms(alarm([], { families: { new: family, old: freshFamily, all: freshFamily } }));
      return latch?.kind === "suspect" ? latch.sources : undefined;
    };
    expect(seenBy(8e6, 2e6)).toEqual(["probes", "live"]);
    expect(seenBy(8e6, 1.9e6)).toEqual(["probes"]);
    expect(seenBy(2e6, 8e6)).toEqual(["probes", "live"]);
    expect(seenBy(0, 8e6)).toEqual(["live"]);
  });

  test("while servers go, or right after, is a disturbance", () => {
    expect(told(alarm(["new"], { lossAt: NOW }))).toBe(`disturbed: ${sentence}, while servers are gone`);
  });

  test("with no old instance left to compare with is a failure", () => {
    expect(told(alarm(["new"], { window: twice(bad) }))).toBe(
      "failing: order in tokyo on gateway@2.0: 10 of 20 failed (50026), and no old instance is left to compare with",
    );
  });

  test("that the old ones share is a disturbance in the regions of both", () => {
    const state = noteAlarms(alarm(["new"], { window: twice(bad, onOld({ failed: 4, region: "frankfurt" })) }));
    expect(state.latch).toEqual({
      kind: "disturbed",
      since: NOW,
      regions: ["frankfurt", "tokyo"],
      reason:
        "order in tokyo on gateway@2.0: 10 of 20 failed (50026), 8 of 20 on gateway@1.0 in frankfurt: the old release is in trouble too",
    });
  });

  test("for the second time is noted, for whoever weighs the signs", () => {
    const suspect: Latch = { kind: "suspect", since: 0, reason: "", regions: [], sources: [] };
    expect(noteAlarms(alarm(["new"], { latch: suspect })).latch).toEqual({ ...suspect, isRepeated: true });
    expect(told(alarm(["new"], { latch: latched("disturbed") }))).toBe(`suspect: ${sentence}`);
  });

  test("comes to a suspected new side by a hundredth of the evidence, and to nobody else", () => {
    const suspect: Latch = { kind: "suspect", since: 0, reason: "", regions: [], sources: [] };
    const seen = (name: FamilyName, live: number, latch: Latch | undefined): boolean => {
      const family = { ...freshFamily, evidence: { probes: 0, live, both: live } };
      const families = { new: freshFamily, old: freshFamily, all: freshFamily, [name]: family };
      const state = alarm([], { families, latch });
      return noteAlarms(state) !== state;
    };
    expect(seen("new", 51_840, suspect)).toBe(true);
    expect(seen("new", 51_839, suspect)).toBe(false);
    expect(seen("new", 51_840, undefined)).toBe(false);
    expect(seen("new", 5_183_999, latched("disturbed"))).toBe(false);
    expect(seen("old", 5_183_999, suspect)).toBe(false);
    expect(seen("all", 5_183_999, suspect)).toBe(false);
  });

  test("changes nothing where it fails already", () => {
    for (const change of [none, metadata, judged().change]) {
      const failing = latched("failing");
      expect(noteAlarms(alarm(["new", "old", "all"], { latch: failing, change })).latch).toBe(failing);
    }
  });
});

describe("an alarm that is not of new instances", () => {
  test("disturbs when the old ones raise it", () => {
    const state = noteAlarms(alarm(["old"], { window: twice(onNew(), onOld({ failed: 5 })) }));
    expect(state.latch).toMatchObject({
      kind: "disturbed",
      regions: ["tokyo"],
      reason: "order in tokyo on gateway@1.0: 10 of 20 failed: not the new release",
    });
  });

  test("tells nothing of the new ones", () => {
    const worse = onNew({ failed: 9, region: "frankfurt" });
    const state = noteAlarms(alarm(["old"], { window: twice(worse, onOld({ failed: 4 })) }));
    expect(state.latch).toMatchObject({
      regions: ["tokyo"],
      reason: "order in tokyo on gateway@1.0: 8 of 20 failed: not the new release",
    });
  });

  test("disturbs when nobody answered half of what failed", () => {
    const unknown = (failed: number): Count => onOld({ side: "unknown", release: "unknown", issued: 10, failed });
    expect(told(alarm(["all"], { window: twice(bad, unknown(5)) }))).toBe(
      "disturbed: order in tokyo: 10 of 20 failed: not the new release",
    );
    expect(told(alarm(["all"], { window: twice(bad, unknown(4)) }))).toBe("nothing");
    expect(told(alarm(["all"], { window: twice(onNew(), unknown(0)) }))).toBe("nothing");
  });

  test("of new instances that went with the change says nothing about what comes next", () => {
    expect(told(alarm(["new"], { change: none }))).toBe("nothing");
    expect(told(alarm(["new", "old"], { change: metadata }))).toBe("nothing");
  });

  test("without a change is a disturbance", () => {
    expect(noteAlarms(alarm(["all"], { change: none })).latch).toEqual({
      kind: "disturbed",
      since: NOW,
      regions: ["tokyo"],
      reason: "order in tokyo on gateway@1.0 and gateway@2.0: 10 of 40 failed (50026)",
    });
  });
});

describe("an alarm after metadata", () => {
  const after = (window: Window, more: Partial<JudgeState> = {}): JudgeState =>
    alarm(["all"], { change: metadata, window, ...more });
  const before = NOW - 750;
  const broken = binAt(NOW, [onOld({ failed: 5 })]);

  test("is a failure in the regions that fail", () => {
    expect(noteAlarms(after([broken])).latch).toEqual({
      kind: "failing",
      since: NOW,
      regions: ["tokyo"],
      reason: "order in tokyo on gateway@1.0: 5 of 10 failed after metadata orders-db",
    });
  });

  test("while servers go is a disturbance", () => {
    expect(told(after([broken], { lossAt: NOW }))).toBe(
      "disturbed: order in tokyo on gateway@1.0: 5 of 10 failed after metadata orders-db, while servers are gone",
    );
  });

  test("is a disturbance when the same users failed at least half as often before it, three times or more", () => {
    const kindAfter = (failed: number, issued: number): string =>
      told(after([binAt(before, [onOld({ failed, issued })]), broken])).replace(/:.*,/, ":");
    expect(kindAfter(3, 12)).toBe("disturbed: as before it");
    expect(kindAfter(3, 13)).toMatch(/^failing/);
    expect(kindAfter(2, 8)).toMatch(/^failing/);
  });

  test("is a failure where those that failed before it were still under way at it", () => {
    const at = (ms: number): string => told(after([binAt(metadata.at - ms, [onOld({ failed: 9 })]), broken]));
    expect(at(GUARD.deadlineMs)).toMatch(/^disturbed/);
    expect(at(GUARD.deadlineMs - 1)).toMatch(/^failing/);
  });

  test("is a failure when others had bad luck before it", () => {
    const luck = binAt(before, [onOld({ cohort: "shard-2", failed: 9 }), onOld()]);
    expect(told(after([luck, broken]))).toMatch(/^failing/);
    const elsewhere = binAt(before, [onOld({ region: "frankfurt", failed: 9 }), onOld()]);
    expect(told(after([elsewhere, broken]))).toMatch(/^failing/);
  });

  test("is a failure when those who fail now failed much less before it, however well the others are", () => {
    const now = binAt(NOW, [onOld({ failed: 8 }), onOld({ cohort: "shard-2", issued: 90 })]);
    const luck = (failed: number) => binAt(before, [onOld({ failed, issued: 20 })]);
    expect(told(after([luck(7), now]))).toMatch(/^failing/);
    expect(told(after([luck(8), now]))).toMatch(/^disturbed/);
  });

  test("is a disturbance when those fail now who failed before, though others fail a little", () => {
    const now = binAt(NOW, [onOld({ failed: 8 }), onOld({ cohort: "shard-2", failed: 3 })]);
    const luck = (cohort: string) => binAt(before, [onOld({ cohort, failed: 9 })]);
    expect(told(after([luck("shard-1"), now]))).toMatch(/^disturbed/);
    expect(told(after([luck("shard-2"), now]))).toMatch(/^failing/);
    const half = binAt(NOW, [onOld({ failed: 8 }), onOld({ cohort: "shard-2", failed: 4 })]);
    expect(told(after([luck("shard-2"), half]))).toMatch(/^disturbed/);
  });
});

describe("an alarm waits for a look at who is still there", () => {
  const unseen = { contact: { ...noContact, at: NOW - 1_101 } };
  const waiting = (more: Partial<JudgeState> = {}): JudgeState => noteAlarms(alarm(["new"], { ...unseen, ...more }));

  test("that is newer than the failures", () => {
    const state = waiting();
    expect(state.latch).toBeUndefined();
    expect(state.pending).toEqual({ since: NOW, crossed: ["new"], sources: ["live"] });
    expect(state.families.new.evidence.both).toBe(0);
    expect(comparisonEvidence(state.comparison)).toBeGreaterThan(10_000);
    expect(waiting({ contact: { ...noContact, at: NOW - 1_100 } }).latch?.kind).toBe("suspect");
  });

  test("for half a second at most, and keeps who raised it", () => {
    const pending = (ago: number) => ({ since: NOW - ago, crossed: ["new"], sources: ["live"] }) as const;
    const before = { ...unseen, families: judged().families };
    expect(waiting({ ...before, pending: pending(499) })).toMatchObject({ pending: pending(499), latch: undefined });
    const state = waiting({ ...before, pending: pending(500) });
    expect(state.latch).toMatchObject({ kind: "suspect", sources: ["live"] });
    expect(state.pending).toBeUndefined();
  });

  test("and takes along what comes meanwhile, each once", () => {
    const pending = { since: NOW - 100, crossed: ["new", "all"], sources: ["probes", "live"] } as const;
    const families = { new: alarmed(onOld()), old: alarmed(onOld()), all: freshFamily };
    expect(waiting({ pending, families }).pending).toEqual({
      since: NOW - 100,
      crossed: ["new", "all", "old"],
      sources: ["probes", "live"],
    });
  });

  test("and keeps who saw what everybody suffers, unless it is the new side that is judged", () => {
    const families = (probed: FamilyName, live: FamilyName): JudgeState["families"] => ({
      new: freshFamily,
      old: freshFamily,
      all: freshFamily,
      [probed]: alarmed(onOld({ source: "probes" })),
      [live]: alarmed(onOld()),
    });
    expect(waiting({ families: families("old", "all") }).pending?.sources).toEqual(["live"]);
    expect(waiting({ families: families("new", "all") }).pending?.sources).toEqual(["probes"]);
    expect(waiting({ families: families("new", "all"), change: none }).pending?.sources).toEqual(["live"]);
  });

  test("while a region is silent that may have died", () => {
    const contact = { ...noContact, at: NOW, goneSince: { "tokyo-1": NOW - 200 } };
    const instances = [{ ...NEW, inTraffic: false }, OLD];
    expect(waiting({ contact, instances }).pending).toBeDefined();
    expect(waiting({ contact, instances, lost: [{ region: "tokyo", since: 0 }] }).pending).toBeUndefined();
    expect(waiting({ contact, instances, lost: [{ region: "frankfurt", since: 0 }] }).pending).toBeDefined();
    const other = { ...OLD, id: "frankfurt-1", region: "frankfurt" };
    const both = { contact: { ...contact, goneSince: { "tokyo-1": 0, "frankfurt-1": 0 } }, instances: [OLD, other] };
    expect(waiting({ ...both, lost: [{ region: "tokyo", since: 0 }] }).pending).toBeDefined();
  });

  test("not where nobody can be looked at", () => {
    expect(waiting({ settings: { ...SETTINGS, hasCounters: false } }).latch?.kind).toBe("suspect");
    expect(waiting({ instances: [] }).latch?.kind).toBe("suspect");
  });

  test("from when it was raised, where nothing fails any more", () => {
    const window = [binAt(NOW, [onNew(), onOld()])];
    expect(waiting({ window, contact: { ...noContact, at: NOW - 1 } }).pending).toBeDefined();
    expect(waiting({ window, contact: { ...noContact, at: NOW } }).pending).toBeUndefined();
  });
});

test("evidence that is no number raises the alarm instead of sleeping", () => {
  const evidence = { probes: NaN, live: NaN, both: NaN };
  const families = { new: { ...freshFamily, evidence }, old: freshFamily, all: freshFamily };
  expect(noteAlarms(alarm([], { families })).latch?.kind).toBe("suspect");
});
