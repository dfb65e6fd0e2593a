import { expect, test } from "vitest";
import type { Opinion } from "../../../../src/ports/second-opinion.ts";
import { lintTexts } from "./lint-text.ts";

const opinion = (rule: string, line = 1, file = "m/0001_a.up.sql"): Opinion => ({
  file,
  rule,
  line,
  column: 1,
  message: `squawk on ${rule}`,
});

test("what both find is told once, with our severity", async () => {
  const findings = await lintTexts(["create index i on t (a);"], [opinion("require-concurrent-index-creation")]);
  expect(findings).toMatchObject([{ rule: "index-not-concurrent", severity: "block", alsoBy: "squawk" }]);
});

test("what ours has looked at and let pass stays passed", async () => {
  const file = {
    up: "alter table t drop column a;",
    phase: "contract",
    down: "alter table t add column a int;",
  } as const;
  expect(await lintTexts([file], [opinion("ban-drop-column"), opinion("require-lock-timeout")])).toEqual([]);
});

test("style, and what the runner makes needless, is left out", async () => {
  const style = ["prefer-robust-stmts", "prefer-bigint-over-int", "prefer-text-field"].map((rule) => opinion(rule));
  expect(await lintTexts(["create table t (a int);"], style)).toEqual([]);
});

test("what ours does not know is a warning under squawk's name, and can be allowed", async () => {
  const unknown = opinion("ban-something-new", 2);
  const [found, ...more] = await lintTexts(
    ["select 1;\nselect 2;"],
    [unknown, opinion("ban-something-new", 1, "m/other")],
  );
  expect(found).toMatchObject({
    rule: "squawk:ban-something-new",
    severity: "warn",
    line: 2,
    statement: 2,
    source: "select 2;",
    message: "squawk on ban-something-new",
  });
  expect(more).toEqual([]);
  const allowed = "select 1;\n-- midflight: allow squawk:ban-something-new because of that\nselect 2;";
  expect(await lintTexts([allowed], [opinion("ban-something-new", 3)])).toEqual([]);
});
