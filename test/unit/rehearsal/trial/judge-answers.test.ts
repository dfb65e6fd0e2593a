import { describe, expect, test } from "vitest";
import type { Answer, Outcome } from "../../../../src/ports/trials.ts";
import { judgeAnswers, judgeFirst } from "../../../../src/rehearsal/trial/judge-answers.ts";
import type { Surroundings } from "../../../../src/rehearsal/trial/judge-answers.ts";

const nothing: Surroundings = { renames: false, secured: false, newColumns: [], changesEnum: false };
const hit = (cohort: string, hits = 1, shape = ["id:23"]): Outcome => ({ kind: "answered", cohort, hits, shape });
const no = (cohort: string, state: string, more: Partial<Outcome> = {}): Outcome =>
  ({ kind: "refused", at: "execute", cohort, state, message: `no ${state}`, ...more }) as Outcome;
const answer = (...outcomes: readonly Outcome[]): readonly Answer[] => [{ query: "cancel", outcomes }];
const BEFORE = answer(hit("a"), hit("b"), hit("c"));

describe("what a release gets otherwise than before", () => {
  test.each<{
    name: string;
    now: readonly Answer[];
    around?: Partial<Surroundings>;
    says: readonly (readonly [string, readonly string[]])[];
  }>([
    { name: "the same is no breakage", now: BEFORE, says: [] },
    {
      name: "rows that are gone for one cohort name it",
      now: answer(hit("a"), hit("b", 0), hit("c")),
      says: [["rows-out-of-reach", ["b"]]],
    },
    {
      name: "rows that are gone for all name nobody",
      now: answer(hit("a", 0), hit("b", 0), hit("c", 0)),
      says: [["rows-out-of-reach", []]],
    },
    {
      name: "rows behind row security are a matter of rights",
      now: answer(hit("a", 0), hit("b", 0), hit("c", 0)),
      around: { secured: true },
      says: [["rights-removed", []]],
    },
    { name: "more rows are told", now: answer(hit("a", 2), hit("b"), hit("c")), says: [["row-count-changed", ["a"]]] },
    {
      name: "another type of a column is another shape",
      now: answer(...["a", "b", "c"].map((one) => hit(one, 1, ["id:25"]))),
      says: [["result-shape-changed", []]],
    },
    {
      name: "two reasons are two breakages",
      now: answer(no("a", "23514"), hit("b"), no("c", "42501")),
      says: [
        ["new-rule-for-old-writers", ["a"]],
        ["rights-removed", ["c"]],
      ],
    },
    {
      name: "what cannot be prepared breaks for everybody",
      now: answer(no("", "42703", { at: "prepare" })),
      says: [["drop-column-or-table", []]],
    },
    {
      name: "a name that is gone after a rename was renamed",
      now: answer(no("", "42703", { at: "prepare" })),
      around: { renames: true },
      says: [["rename-or-set-schema", []]],
    },
    {
      name: "a null in a column that is new is a required column",
      now: answer(no("a", "23502", { table: "orders", column: "tag" }), hit("b"), hit("c")),
      around: { newColumns: ["public.orders.tag"] },
      says: [["required-column", ["a"]]],
    },
    {
      name: "a null in a column that was there is a new rule",
      now: answer(no("a", "23502", { table: "orders", column: "tag" }), hit("b"), hit("c")),
      says: [["new-rule-for-old-writers", ["a"]]],
    },
    {
      name: "a trigger that raises",
      now: answer(no("a", "P0001"), hit("b"), hit("c")),
      says: [["trigger-on-hot-table", ["a"]]],
    },
    { name: "a function that is gone", now: answer(no("", "42883")), says: [["drop-other-object", []]] },
    { name: "anything else", now: answer(no("", "22012")), says: [["statement-broken", []]] },
  ])("$name", ({ now, around, says }) => {
    const found = judgeAnswers(BEFORE, now, { ...nothing, ...around });
    expect(found.map(({ rule, cohorts }) => [rule, cohorts])).toEqual(says);
  });

  test("what failed before is not laid at the migration's door", () => {
    expect(judgeAnswers(answer(no("a", "42501")), answer(no("a", "42501")), nothing)).toEqual([]);
  });
});

describe("the first answers", () => {
  const queries = [{ name: "cancel", sql: "", params: "" }];
  test.each([
    { name: "all hit", answers: BEFORE, says: [] },
    { name: "one hits nothing", answers: answer(hit("a"), hit("b", 0)), says: [["sample-hits-nothing", ["b"]]] },
    { name: "no sample", answers: answer(), says: [["sample-hits-nothing", []]] },
    { name: "refused already", answers: answer(no("a", "42501"), hit("b")), says: [["rights-removed", ["a"]]] },
  ])("$name", ({ answers, says }) => {
    expect(judgeFirst(queries, answers, nothing).map(({ rule, cohorts }) => [rule, cohorts])).toEqual(says);
  });
});
