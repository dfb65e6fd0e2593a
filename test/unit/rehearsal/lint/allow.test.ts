import { describe, expect, test } from "vitest";
import { readMigrations } from "../../../../src/plan/migrations.ts";
import { lintTexts, told } from "./lint-text.ts";

describe("an allow holds for one rule at one statement, and only with a reason", () => {
  test.each([
    {
      name: "the statement below it",
      up: "-- midflight: allow unbounded-write because a table of ten rows\nupdate t set a = 1;\nupdate u set a = 1;",
      says: ["up:3:1 unbounded-write"],
    },
    {
      name: "several above one statement",
      up: "-- midflight: allow unbounded-write because small\n-- midflight: allow ddl-after-exclusive-lock because small\nupdate t set a = 1;",
      says: ["up:2:1 unused-ignore"],
    },
    {
      name: "a statement whose body it stands in",
      up: "do $$\nbegin\n  -- midflight: allow unbounded-write because small\n  update t set a = 1;\nend $$;",
      says: [],
    },
    {
      name: "no reason",
      up: "-- midflight: allow unbounded-write\nupdate t set a = 1;",
      says: ["up:1:1 ignore-without-reason", "up:2:1 unbounded-write"],
    },
    {
      name: "a reason that is not there",
      up: "  -- midflight: allow unbounded-write because \nupdate t set a = 1;",
      says: ["up:1:3 ignore-without-reason", "up:2:1 unbounded-write"],
    },
    { name: "no rule", up: "-- midflight: allow\nselect 1;", says: ["up:1:1 ignore-without-reason"] },
    {
      name: "an unknown rule",
      up: "-- midflight: allow unbounded-writes because small\nupdate t set a = 1;",
      says: ["up:1:1 unused-ignore", "up:2:1 unbounded-write"],
    },
    {
      name: "nothing below it",
      up: "update t set a = 1 where b = 2;\n-- midflight: allow unbounded-write because small",
      says: ["up:2:1 unused-ignore"],
    },
    {
      name: "what the runner refuses anyway",
      up: "-- midflight: allow stray-transaction because I know\ncommit;",
      says: ["up:1:1 unused-ignore", "up:2:1 stray-transaction"],
    },
    {
      name: "a second opinion, which is not everywhere",
      up: "-- midflight: allow squawk:something because of that\nselect 1;",
      says: [],
    },
    {
      name: "rules are names, whatever an object inherits",
      up: "-- midflight: allow constructor because x\n-- midflight: allow __proto__ because x\nselect 1;",
      says: ["up:1:1 unused-ignore", "up:2:1 unused-ignore"],
    },
    {
      name: "what only a trial can see",
      up: "-- midflight: allow table-rewritten because forty rows\nselect 1;",
      says: [],
    },
    {
      name: "what only a trial can see, above no statement",
      up: "select 1;\n-- midflight: allow table-rewritten because forty rows",
      says: ["up:2:1 unused-ignore"],
    },
    {
      name: "that a release is no longer served, which nobody can allow",
      up: "-- midflight: allow statement-broken because nobody calls it\nselect 1;",
      says: ["up:1:1 unused-ignore"],
    },
    {
      name: "a text that only looks like one",
      up: "/* midflight: allow unbounded-write because small */\nupdate t set a = 1;",
      says: ["up:2:1 unbounded-write"],
    },
  ])("$name", async ({ up, says }) => {
    expect(told(await lintTexts([up]))).toEqual(says);
  });

  test("a misspelt rule is told the right one", async () => {
    const [first] = await lintTexts(["-- midflight: allow unbounded-writes because small\nselect 1;"]);
    expect(first).toMatchObject({ severity: "warn", instead: "did you mean unbounded-write?", statement: 1 });
  });

  test("the reader of migrations leaves allows to the lint, wherever they stand", () => {
    const file = (role: string, text: string) => ({
      name: `0001_a.${role}.sql`,
      bytes: new TextEncoder().encode(text),
    });
    const allow = "-- midflight: allow unbounded-write because small\n";
    const { problems, migrations } = readMigrations(
      [
        file("up", `${allow}-- midflight: phase expand\n${allow}update t set a = 1;\n${allow}update u set a = 1;`),
        file("verify", "select 1;"),
        file("down", `${allow}select 1;`),
      ],
      "m",
    );
    expect(problems).toEqual([]);
    expect(migrations).toHaveLength(1);
  });
});
