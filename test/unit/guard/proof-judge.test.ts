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
  const needed = cleanOutcomesNeeded(5, 99, 0.1);

  test("is given when each operation on each instance has enough clean outcomes, not before", () => {
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
    expect(standingOfProof(begin())).toMatchObject({ kind: "open", outcomes: 0 });
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
});
