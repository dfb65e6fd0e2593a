import { describe, expect, test } from "vitest";
import type { JudgeState } from "../../../src/guard/judge-state.ts";
import { noContact } from "../../../src/guard/loss.ts";
import { noteRecovery, noteSilence } from "../../../src/guard/silence.ts";
import { freshEvidence } from "../../../src/guard/strata.ts";
import { judged, NEW, NOW, OLD, SETTINGS } from "../../fakes/judged.ts";

const STRATA = SETTINGS.strata.map(({ operation, region }) => `${operation} in ${region}`);
const heard = (at: number): Readonly<Record<string, number>> => Object.fromEntries(STRATA.map((name) => [name, at]));
const proved = {
  since: 0,
  samples: Object.fromEntries(STRATA.map((name) => [name, { issued: 100, failed: 0, probed: 1 }])),
};
const well = (more: Partial<JudgeState> = {}): JudgeState =>
  judged({ instances: [OLD], lastOutcome: heard(NOW), evidence: proved, ...more });
const reasonOf = (state: JudgeState): string | undefined => noteSilence(state).latch?.reason;

describe("silence", () => {
  test("begins after one second without an outcome, and names the first place of all that are silent", () => {
    const second = well({ lastOutcome: heard(NOW - 1_000) });
    expect(noteSilence(second)).toBe(second);
    const state = noteSilence(well({ lastOutcome: heard(NOW - 1_001) }));
    expect(state.latch).toEqual({
      kind: "unproved",
      since: NOW,
      reason: "no outcome of order in tokyo for 1.0 s",
      regions: ["tokyo", "frankfurt"],
      isBlind: false,
    });
    expect(state.evidence).toEqual(freshEvidence(NOW));
  });

  test("of one place is told of that place, also when nothing was ever heard from it", () => {
    expect(
      noteSilence(well({ lastOutcome: { ...heard(NOW), "amend in frankfurt": NOW - 2_500 } })).latch,
    ).toMatchObject({
      reason: "no outcome of amend in frankfurt for 2.5 s",
      regions: ["frankfurt"],
    });
    const unheard = { startedAt: NOW - 1_500, lastOutcome: {} };
    expect(reasonOf(well(unheard))).toBe("no outcome of order in tokyo for 1.5 s");
    expect(reasonOf(well({ ...unheard, startedAt: NOW - 1_000 }))).toBeUndefined();
  });

  test("is explained by what was told of it in the last two seconds", () => {
    const silent = { lastOutcome: heard(NOW - 3_000) };
    const told = (at: number) => ({ "order in tokyo": { at, why: "keys are refused" } });
    expect(reasonOf(well({ ...silent, silence: told(NOW - 1_999) }))).toBe(
      "no outcome of order in tokyo for 3.0 s: keys are refused",
    );
    expect(reasonOf(well({ ...silent, silence: told(NOW - 2_000) }))).toBe("no outcome of order in tokyo for 3.0 s");
  });

  test("starts evidence of health again, whatever else is wrong, and says more only where nothing is proved", () => {
    const silent = { lastOutcome: heard(NOW - 2_000) };
    const disturbed = { kind: "disturbed", since: 1, reason: "storm", regions: ["tokyo"] } as const;
    const state = noteSilence(well({ ...silent, latch: disturbed }));
    expect(state.latch).toBe(disturbed);
    expect(state.evidence).toEqual(freshEvidence(NOW));
    expect(noteSilence(well({ ...silent, latch: { ...disturbed, kind: "unproved" } })).latch).toEqual({
      kind: "unproved",
      since: 1,
      reason: "no outcome of order in tokyo for 2.0 s",
      regions: ["tokyo", "frankfurt"],
      isBlind: false,
    });
  });
});

describe("counters of an instance in traffic", () => {
  const other = { ...OLD, id: "frankfurt-1", region: "frankfurt" };
  const rubbish = (since: number) => ({ ...noContact, unreadable: { "tokyo-1": { since, why: "it is a page" } } });
  const gone = (since: number) => ({ ...noContact, goneSince: { "tokyo-1": since } });

  test("may be rubbish for two seconds", () => {
    expect(reasonOf(well({ contact: rubbish(NOW - 2_000) }))).toBeUndefined();
    const state = noteSilence(well({ instances: [OLD, other], contact: rubbish(NOW - 2_001) }));
    expect(state.latch).toMatchObject({
      reason: "the counters of tokyo-1 in tokyo cannot be read: it is a page",
      regions: ["tokyo"],
      isBlind: false,
    });
  });

  test("may be out of reach for five seconds", () => {
    expect(reasonOf(well({ contact: gone(NOW - 5_000) }))).toBeUndefined();
    expect(reasonOf(well({ contact: gone(NOW - 5_001) }))).toBe("the counters of tokyo-1 in tokyo are out of reach");
  });

  test("of which nobody asks users may be missing for ever", () => {
    expect(reasonOf(well({ instances: [{ ...OLD, inTraffic: false }], contact: gone(0) }))).toBeUndefined();
  });

  test("that are missing at several instances name each region once, and the first instance", () => {
    const second = { ...OLD, id: "tokyo-2" };
    const goneSince = { "tokyo-1": 0, "tokyo-2": 0, "frankfurt-1": 0 };
    expect(
      noteSilence(well({ instances: [OLD, second, other], contact: { ...noContact, goneSince } })).latch,
    ).toMatchObject({
      reason: "the counters of tokyo-1 in tokyo are out of reach",
      regions: ["tokyo", "frankfurt"],
    });
  });
});

describe("health comes back", () => {
  const unproved = { kind: "unproved", since: 0, reason: "", regions: [] } as const;
  const clearing = { probes: freshEvidence(0), live: freshEvidence(0) };

  test("by evidence in every place, for who was unproved or disturbed", () => {
    for (const kind of ["unproved", "disturbed"] as const) {
      const state = well({ latch: { ...unproved, kind }, clearing });
      expect(noteRecovery(state)).toEqual({ ...state, latch: undefined, clearing: undefined });
    }
  });

  test("never by itself", () => {
    const cases: readonly Partial<JudgeState>[] = [
      { evidence: freshEvidence(0) },
      { latch: { ...unproved, kind: "failing" } },
      { latch: { ...unproved, kind: "suspect", sources: ["live"] } },
      { lost: [{ region: "tokyo", since: 0 }] },
      { lastOutcome: heard(NOW - 1_001) },
      { instances: [NEW] },
      { latch: undefined },
    ];
    for (const more of cases) {
      const state = well({ latch: unproved, ...more });
      expect(noteRecovery(state)).toBe(state);
    }
  });

  test("only with outcomes of probes, where there are probes", () => {
    const unprobed = Object.fromEntries(STRATA.map((name) => [name, { issued: 100, failed: 0, probed: 0 }]));
    const state = well({ latch: unproved, evidence: { since: 0, samples: unprobed } });
    expect(noteRecovery(state)).toBe(state);
    const settings = { ...state.settings, probed: [] };
    expect(noteRecovery({ ...state, settings }).latch).toBeUndefined();
  });
});
