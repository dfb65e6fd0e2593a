import { describe, expect, test } from "vitest";
import {
  foldProof,
  standingOfProof,
  startProof,
  type ProofCount,
  type ProofState,
} from "../../../src/guard/proof-judge.ts";
import { cleanOutcomesNeeded } from "../../../src/guard/health.ts";

const need = { excludePct: 5, confidencePct: 99 };
const OPERATIONS = ["order", "amend", "cancel"] as const;
const begin = (instances: readonly string[] = ["tokyo-7"]): ProofState =>
  startProof(instances, OPERATIONS, { need, baselinePct: 0.1 });
const outcome = (
  operation: (typeof OPERATIONS)[number],
  failed: number,
  issued = 1,
  cohort = "shard-1",
  instance = "tokyo-7",
): ProofCount => ({
  instance,
  release: "gateway@2.1",
  operation,
  cohort,
  issued,
  failed,
  ...(failed > 0 ? { codes: { "50026": failed } } : {}),
});
const bin = (state: ProofState, index: number, ...counts: readonly ProofCount[]): ProofState =>
  foldProof(state, { from: index * 100, to: index * 100 + 100, counts });

describe("a proof in the dark", () => {
  test("is given when each operation on each instance has enough clean outcomes, not before", () => {
    const needed = cleanOutcomesNeeded(5, 99, 0.1);
    let state = begin(["a", "b"]);
    for (const operation of OPERATIONS)
      state = bin(
        state,
        0,
        outcome(operation, 0, needed, "c", "a"),
        outcome(operation, 0, needed - (operation === "cancel" ? 1 : 0), "c", "b"),
      );
    expect(standingOfProof(state)).toMatchObject({
      kind: "open",
      missing: `cancel on b: 0 of ${needed - 1} failed, too few to exclude 5 % with 99 %`,
    });
    expect(standingOfProof(bin(state, 1, outcome("cancel", 0, 1, "c", "b")))).toEqual({
      kind: "proved",
      outcomes: 6 * needed,
    });
  });

  test("without outcomes is open", () => {
    expect(standingOfProof(begin())).toEqual({
      kind: "open",
      missing: "order on tokyo-7: 0 of 0 failed, too few to exclude 5 % with 99 %",
      outcomes: 0,
    });
  });

  test("is refuted by a third of amends within a few bins", () => {
    const state = [0, 2, 4].reduce(
      (soFar, index) => bin(soFar, index, outcome("amend", 1, 3), outcome("order", 0, 3), outcome("cancel", 0, 3)),
      begin(),
    );
    expect(standingOfProof(state)).toEqual({
      kind: "refuted",
      reason: "amend on tokyo-7 (gateway@2.1): 3 of 9 failed, mostly 50026",
      outcomes: 27,
      failed: 3,
    });
  });

  test("is refuted by one cohort in ten that fails wholly", () => {
    let state = begin();
    for (let index = 0; index < 12; index++)
      state = bin(
        state,
        index,
        ...Array.from({ length: 9 }, (_, shard) => outcome("order", 0, 1, `shard-${shard}`)),
        outcome("order", 1, 1, "shard-9"),
      );
    expect(standingOfProof(state).kind).toBe("refuted");
  });

  test("survives one burst, also across the edge of a bin", () => {
    const state = bin(bin(begin(), 0, outcome("amend", 2, 3)), 1, outcome("amend", 2, 3));
    expect(standingOfProof(state).kind).toBe("open");
  });

  test("holds a bad instance against that instance alone", () => {
    const state = [0, 2, 4].reduce(
      (soFar, index) => bin(soFar, index, outcome("amend", 3, 3, "c", "bad"), outcome("amend", 0, 3, "c", "good")),
      begin(["good", "bad"]),
    );
    expect(standingOfProof(state)).toMatchObject({
      kind: "refuted",
      reason: expect.stringContaining("amend on bad") as string,
    });
  });

  test("is refuted by evidence of ten thousand, and by evidence that is no number", () => {
    const holding = (evidence: number): ProofState => {
      const stream = { mixture: [evidence], restUntil: -Infinity };
      return { ...begin(), streams: { "operation tokyo-7 order": stream, "cohort tokyo-7 shard-1": stream } };
    };
    expect(standingOfProof(holding(10_000))).toEqual({
      kind: "refuted",
      reason: "tokyo-7 fails",
      outcomes: 0,
      failed: 0,
    });
    expect(standingOfProof(holding(9_999)).kind).toBe("open");
    expect(standingOfProof(holding(NaN)).kind).toBe("refuted");
  });

  test("weighs operations and cohorts alike: the mean of each, and the mean of both", () => {
    const state = (operations: readonly number[], cohorts: readonly number[]): ProofState => {
      const streams = (kind: string, evidence: readonly number[]) =>
        evidence.map((one, index) => [`${kind} tokyo-7 ${index}`, { mixture: [one], restUntil: -Infinity }] as const);
      const others = streams("operation", [1e9]).map(
        ([key, stream]) => [key.replace("tokyo-7", "tokyo-77"), stream] as const,
      );
      return {
        ...begin(),
        streams: Object.fromEntries([...streams("operation", operations), ...streams("cohort", cohorts), ...others]),
      };
    };
    expect(standingOfProof(state([15_000, 5_000], [20_000, 0, 10_000])).kind).toBe("refuted");
    expect(standingOfProof(state([15_000, 4_998], [20_000, 0, 10_000])).kind).toBe("open");
    expect(standingOfProof(state([20_000], [])).kind).toBe("refuted");
    expect(standingOfProof(state([], [19_998])).kind).toBe("open");
  });

  test("begins every stream with 1, adds no time, and rests after a failing bin", () => {
    const clean = bin(begin(), 0, outcome("order", 0, 3));
    expect(clean.streams["operation tokyo-7 order"]?.mixture[0]).toBeCloseTo(0.98, 12);
    expect(clean.streams["cohort tokyo-7 shard-1"]?.mixture[7]).toBeCloseTo(0.1, 12);
    const failed = bin(begin(), 0, outcome("order", 1, 4));
    expect(failed.streams["operation tokyo-7 order"]?.mixture[0]).toBeCloseTo(1 + 20 * (0.25 - 0.001), 9);
    expect(failed.streams["operation tokyo-7 order"]?.restUntil).toBe(175);
    expect(bin(failed, 1, outcome("order", 1, 4)).streams["operation tokyo-7 order"]?.mixture).toEqual(
      failed.streams["operation tokyo-7 order"]?.mixture,
    );
  });

  test("holds a baseline of nothing for one in a million", () => {
    const state = bin({ ...begin(), baselinePct: 0 }, 0, outcome("order", 1, 4));
    expect(state.streams["operation tokyo-7 order"]?.mixture[0]).toBeCloseTo(1 + 20_000 * (0.25 - 1e-6), 6);
  });

  test("adds up what it saw, and names the worst operation, its code that came most, and how many others fail", () => {
    let state = begin();
    const codes = (all: Readonly<Record<string, number>>) => ({ codes: all });
    for (const index of [0, 2, 4])
      state = bin(
        state,
        index,
        { ...outcome("order", 1, 4), ...codes({ "50001": 1 }) },
        { ...outcome("amend", 2, 4), ...codes({ "50001": 1, "50026": index === 0 ? 1 : 2 }) },
        outcome("cancel", 0, 4),
      );
    expect(standingOfProof(state)).toMatchObject({
      kind: "refuted",
      reason: "amend on tokyo-7 (gateway@2.1): 6 of 12 failed, mostly 50026, and 1 more operation fails",
      outcomes: 36,
      failed: 9,
    });
    for (const index of [6, 8]) state = bin(state, index, { ...outcome("cancel", 1, 4), codes: {} });
    expect(standingOfProof(state)).toMatchObject({
      reason: expect.stringMatching(/2 more operations fail$/) as string,
    });
    const bare = [0, 2, 4].reduce(
      (soFar, index) => bin(soFar, index, { ...outcome("order", 3, 4), codes: {} }),
      begin(),
    );
    expect(standingOfProof(bare)).toMatchObject({ reason: "order on tokyo-7 (gateway@2.1): 9 of 12 failed" });
  });

  test("names the operation that fails most often, whichever was seen first", () => {
    const counts = [outcome("order", 1, 4), outcome("amend", 2, 4)];
    const certain = { "operation tokyo-7 order": { mixture: [1e9], restUntil: -Infinity } };
    for (const order of [counts, counts.toReversed()])
      expect(standingOfProof({ ...bin(begin(), 0, ...order), streams: certain })).toMatchObject({
        reason: expect.stringMatching(/^amend on tokyo-7 .*: 2 of 4 failed/) as string,
      });
  });

  test("names what failed on the bad instance itself, by all codes that were seen", () => {
    let state = begin(["a", "b"]);
    for (const [index, code] of [
      [0, "50001"],
      [2, "50001"],
      [4, "50026"],
    ] as const)
      state = bin(
        state,
        index,
        { ...outcome("order", 3, 4, "c", "a"), codes: { [code]: 3 } },
        outcome("order", 4, 4, "c", "b"),
      );
    expect(standingOfProof(state)).toMatchObject({
      kind: "refuted",
      reason: "order on a (gateway@2.1): 9 of 12 failed, mostly 50001",
    });
  });
});
