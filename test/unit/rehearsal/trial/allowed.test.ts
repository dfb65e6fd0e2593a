import { expect, test } from "vitest";
import type { TracedRun, TracedStatement } from "../../../../src/ports/trials.ts";
import { applyAllows } from "../../../../src/rehearsal/trial/allowed.ts";
import { judgeRun } from "../../../../src/rehearsal/trial/judge-run.ts";

const statement: TracedStatement = {
  file: "0001_x.up.sql",
  number: 1,
  of: 1,
  line: 3,
  firstLine: "alter table t",
  traits: ["change-type"],
  ms: 1,
  seen: "whole",
  locks: [],
  rewritten: ["t"],
  rowsTouched: 0,
  lockTimeoutMs: 100,
};
const run: TracedRun = { file: "0001_x.up.sql", statements: [statement], ms: 1, invalidIndexes: [] };
const rulesLeft = (allow: string, given: TracedRun = run): readonly string[] => {
  const up = `-- midflight: phase expand\n${allow}\nalter table t;`;
  const migration = { name: "0001_x", phase: "expand" as const, transactional: true, up, verify: "", down: "" };
  return applyAllows(migration, given, judgeRun("0001_x", given, true)).left.map(({ rule }) => rule);
};

test.each([
  { name: "with a reason, and told", allow: "-- midflight: allow type-change-rewrite because ten rows", left: [] },
  { name: "not without a reason", allow: "-- midflight: allow type-change-rewrite", left: ["type-change-rewrite"] },
  {
    name: "not for another rule",
    allow: "-- midflight: allow table-rewritten because ten rows",
    left: ["type-change-rewrite"],
  },
])("what a statement was seen to do is allowed $name", ({ allow, left }) => {
  expect(rulesLeft(allow)).toEqual(left);
});

test("that a statement failed cannot be allowed", () => {
  const at = { file: "0001_x.up.sql", line: 3, number: 1, firstLine: "" };
  const failure = { ...at, in: "up" as const, state: "23505", message: "m", traits: [] };
  const failed = { ...run, statements: [{ ...statement, rewritten: [] }], failure };
  expect(rulesLeft("-- midflight: allow data-dependent because so", failed)).toEqual(["data-dependent"]);
});
