import { describe, expect, test } from "vitest";
import type { RunFailure, TracedRun, TracedStatement, Trait } from "../../../../src/ports/trials.ts";
import { judgeRun } from "../../../../src/rehearsal/trial/judge-run.ts";

const statement = (more: Partial<TracedStatement>): TracedStatement => ({
  file: "0001_x.up.sql",
  number: 1,
  of: 1,
  line: 3,
  firstLine: "alter table t",
  traits: [],
  ms: 1,
  seen: "whole",
  locks: [],
  rewritten: [],
  rowsTouched: 0,
  lockTimeoutMs: 100,
  ...more,
});
const run = (statements: readonly TracedStatement[], more: Partial<TracedRun> = {}): TracedRun => ({
  file: "0001_x.up.sql",
  statements,
  ms: 1,
  invalidIndexes: [],
  ...more,
});
const AX = { table: "t", mode: "AccessExclusiveLock" };
const said = (given: TracedRun, isTransactional = true): readonly string[] =>
  judgeRun("0001_x", given, isTransactional).map(({ rule, severity }) => `${severity} ${rule}`);

test.each<{ traits: readonly Trait[]; rule: string }>([
  { traits: ["change-type"], rule: "type-change-rewrite" },
  { traits: ["add-column-generated"], rule: "stored-generated-or-serial" },
  { traits: ["add-column-default"], rule: "volatile-default-rewrite" },
  { traits: ["truncate"], rule: "truncate-or-drop-container" },
  { traits: ["maintenance"], rule: "table-wide-maintenance" },
  { traits: ["dynamic"], rule: "table-rewritten" },
])("a table written anew by $traits is $rule", ({ traits, rule }) => {
  expect(said(run([statement({ traits, rewritten: ["t"] })]))).toEqual([`block ${rule}`]);
});

describe("behind a lock that keeps everybody out", () => {
  const lock = statement({ locks: [AX], number: 1, of: 2 });
  test.each([
    { name: "nothing", given: [lock], says: [] },
    {
      name: "a quick statement is a warning",
      given: [lock, statement({ ms: 2 })],
      says: ["warn ddl-after-exclusive-lock"],
    },
    { name: "rows are none", given: [lock, statement({ rowsTouched: 1 })], says: ["block ddl-after-exclusive-lock"] },
    { name: "time is none", given: [lock, statement({ ms: 100 })], says: ["block ddl-after-exclusive-lock"] },
  ])("$name", ({ given, says }) => {
    expect(said(run(given))).toEqual(says);
  });

  test("a table that only the migration has known holds nobody up", () => {
    const given = run([lock, statement({ rowsTouched: 1, rewritten: ["t"] })]);
    expect(judgeRun("0001_x", given, true, new Set(["t"]))).toEqual([]);
  });

  test("statements in transactions of their own hold nobody up", () => {
    expect(said(run([lock, statement({ rowsTouched: 9 })]), false)).toEqual([]);
  });
});

test.each([
  { lockTimeoutMs: 0, says: ["block lock-timeout-not-in-effect"] },
  { lockTimeoutMs: 5_000, says: ["block lock-timeout-not-in-effect"] },
  { lockTimeoutMs: 100, says: [] },
])("a lock waited for with lock_timeout $lockTimeoutMs", ({ lockTimeoutMs, says }) => {
  expect(said(run([statement({ locks: [AX], lockTimeoutMs })]))).toEqual(says);
});

test("a trigger on a table that was there is a warning, an invalid index is none", () => {
  const lock = { table: "orders", mode: "ShareRowExclusiveLock" };
  expect(said(run([statement({ traits: ["trigger"], locks: [lock] })]))).toEqual(["warn trigger-on-hot-table"]);
  expect(said(run([], { invalidIndexes: ["i"] }))).toEqual(["block concurrent-index-not-checked"]);
});

test.each<{ state: string; in: RunFailure["in"]; traits: readonly Trait[]; rule: string }>([
  { state: "23502", in: "up", traits: ["add-column-required"], rule: "required-column" },
  { state: "23502", in: "up", traits: [], rule: "data-dependent" },
  { state: "23505", in: "up", traits: [], rule: "data-dependent" },
  { state: "25001", in: "up", traits: [], rule: "concurrent-in-transaction" },
  { state: "55P04", in: "up", traits: ["enum"], rule: "enum-add-then-use" },
  { state: "42601", in: "down", traits: [], rule: "statement-fails" },
  { state: "22012", in: "verify", traits: [], rule: "verify-fails" },
])("a failure with $state in $in is $rule, with its place", ({ rule, ...given }) => {
  const failure = { ...given, file: "f.sql", line: 7, number: 2, firstLine: "x", message: "m" };
  expect(judgeRun("0001_x", run([], { failure }), true)).toMatchObject([
    { rule, severity: "block", file: "f.sql", line: 7, statement: 2, migration: "0001_x" },
  ]);
});
