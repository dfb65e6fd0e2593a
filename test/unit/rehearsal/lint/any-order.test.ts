import fc from "fast-check";
import { expect, test } from "vitest";
import { corpus } from "../../../support/corpus.ts";
import { lintTexts } from "./lint-text.ts";

const pieces = corpus("").flatMap(({ migrations }) => migrations.flatMap(({ up, down }) => [up, down]));
const file = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((some) => some.join("\n"));
const migration = fc.record({
  up: file,
  down: file,
  transactional: fc.boolean(),
  phase: fc.constantFrom("expand" as const, "contract" as const),
});

test("whatever stands together is judged, at places that are there, and twice alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(migration, { minLength: 1, maxLength: 3 }), async (given) => {
      const findings = await lintTexts(given);
      const lines = (name: string): number => {
        const [, number, part] = /(\d{4})_a\.(up|down)/.exec(name) ?? [];
        const one = given[Number(number) - 1];
        return (part === "down" ? one?.down : one?.up)?.split("\n").length ?? 0;
      };
      for (const { file: name, line, column, length } of findings) {
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(lines(name));
        expect(column).toBeGreaterThan(0);
        expect(length).toBeGreaterThan(0);
      }
      expect(await lintTexts(given)).toEqual(findings);
    }),
    { numRuns: 100 },
  );
});

test("a statement that the lint blocks by itself stays blocked, whatever unrelated stands before it", async () => {
  const before = [
    "select 1;",
    "create table other (id int);",
    "insert into other values (1);",
    "comment on table t is 'x';",
  ];
  const blocked = [
    "create index i on t (a);",
    "alter table t drop column a;",
    "update t set a = 1;",
    "alter table t add column b int not null;",
    "truncate t;",
    "do $$ begin execute current_setting('a.b'); end $$;",
  ];
  await fc.assert(
    fc.asyncProperty(fc.subarray(before), fc.constantFrom(...blocked), async (some, bad) => {
      const findings = await lintTexts([[...some, bad].join("\n")]);
      expect(findings.filter((one) => one.severity === "block" && one.statement === some.length + 1)).not.toEqual([]);
    }),
    { numRuns: 60 },
  );
});
