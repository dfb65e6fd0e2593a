import fc from "fast-check";
import { expect, test } from "vitest";
import { readMigrations, type MigrationFile } from "../../../src/plan/migrations.ts";
import { scanSql } from "../../../src/plan/source/scan-sql.ts";
import { marked } from "./plans.ts";

const file = (name: string, text: string): MigrationFile => ({ name, bytes: new TextEncoder().encode(text) });
const UP = "-- midflight: phase expand\n-- Bands.\ncreate table bands (a int);\n";
const trio = (name: string, up = UP, verify = "select 1;", down = "drop table bands;"): readonly MigrationFile[] => [
  file(`${name}.up.sql`, up),
  file(`${name}.verify.sql`, verify),
  file(`${name}.down.sql`, down),
];
const read = (files: readonly MigrationFile[]) => readMigrations(files, "migrations/orders");

test("whole trios are read in the order of their numbers, whatever the order of the files", () => {
  const contract = "-- midflight: phase contract\n-- midflight: no-transaction\ndrop index concurrently x;";
  const { migrations, problems } = read([
    ...trio("0002_drop", contract),
    file("README.md", "# notes"),
    ...trio("0001_bands").toReversed(),
  ]);
  expect(problems).toEqual([]);
  expect(migrations).toEqual([
    {
      name: "0001_bands",
      phase: "expand",
      transactional: true,
      up: UP,
      verify: "select 1;",
      down: "drop table bands;",
    },
    {
      name: "0002_drop",
      phase: "contract",
      transactional: false,
      up: contract,
      verify: "select 1;",
      down: "drop table bands;",
    },
  ]);
});

test("a folder without migrations is no problem by itself", () => {
  expect(read([])).toEqual({ migrations: [], problems: [] });
});

test.each<{ name: string; files: readonly MigrationFile[]; code: string; in: string; says: RegExp }>([
  {
    name: "a missing down",
    files: trio("0001_bands").slice(0, 2),
    code: "MIGRATION_INCOMPLETE",
    in: "0001_bands.down.sql",
    says: /no such file/,
  },
  {
    name: "a missing up",
    files: trio("0001_bands").slice(1),
    code: "MIGRATION_INCOMPLETE",
    in: "0001_bands.up.sql",
    says: /no such file/,
  },
  {
    name: "a number of three digits",
    files: [file("001_bands.up.sql", UP)],
    code: "MIGRATION_NAME",
    in: "001_bands.up.sql",
    says: /no name/,
  },
  {
    name: "a capital letter",
    files: [file("0001_Bands.up.sql", UP)],
    code: "MIGRATION_NAME",
    in: "0001_Bands.up.sql",
    says: /no name/,
  },
  {
    name: "an unknown role",
    files: [...trio("0001_bands"), file("0001_bands.verfy.sql", "select 1")],
    code: "MIGRATION_NAME",
    in: "0001_bands.verfy.sql",
    says: /no name/,
  },
  {
    name: "a number twice",
    files: [...trio("0001_bands"), ...trio("0001_tiers")],
    code: "MIGRATION_NUMBER",
    in: "0001_tiers.up.sql",
    says: /0001_bands has the number 0001 too/,
  },
  {
    name: "a gap",
    files: [...trio("0001_bands"), ...trio("0003_tiers")],
    code: "MIGRATION_NUMBER",
    in: "0003_tiers.up.sql",
    says: /0002 is missing between 0001_bands and 0003_tiers/,
  },
])("$name is told by its file", ({ files, code, in: name, says }) => {
  expect(read(files).problems).toMatchObject([
    { code, file: `migrations/orders/${name}`, line: 0, message: expect.stringMatching(says) as string },
  ]);
});

test("a misspelt role is guessed", () => {
  expect(read([...trio("0001_bands"), file("0001_bands.verfy.sql", "select 1")]).problems[0]?.hint).toBe(
    "did you mean .verify.sql?",
  );
});

test.each<{ name: string; files: readonly MigrationFile[]; code: string; line: number; mark: string }>([
  { name: "no phase", files: trio("0001_a", "create table a ();"), code: "MIGRATION_HEAD", line: 1, mark: "c" },
  {
    name: "a misspelt phase",
    files: trio("0001_a", "-- x\n-- midflight: phase expnd\nselect 1;"),
    code: "MIGRATION_HEAD",
    line: 2,
    mark: "expnd",
  },
  {
    name: "a phase without a name",
    files: trio("0001_a", "-- midflight: phase\nselect 1;"),
    code: "MIGRATION_HEAD",
    line: 1,
    mark: "phase",
  },
  {
    name: "two phases",
    files: trio("0001_a", "-- midflight: phase expand\n-- midflight: phase contract\nselect 1;"),
    code: "MIGRATION_HEAD",
    line: 2,
    mark: "phase",
  },
  {
    name: "an unknown word in the head",
    files: trio("0001_a", "-- midflight: phase expand\n-- midflight: no-transactions\nselect 1;"),
    code: "MIGRATION_HEAD",
    line: 2,
    mark: "no-transactions",
  },
  {
    name: "a head below the first statement",
    files: trio("0001_a", "-- midflight: phase expand\nselect 1;\n-- midflight: no-transaction"),
    code: "MIGRATION_HEAD",
    line: 3,
    mark: "-- midflight: no-transaction",
  },
  {
    name: "a down of another phase",
    files: trio("0001_a", UP, "select 1", "-- midflight: phase contract\nselect 1"),
    code: "MIGRATION_HEAD",
    line: 1,
    mark: "-- midflight: phase contract",
  },
  { name: "an empty file", files: trio("0001_a", UP, ""), code: "MIGRATION_EMPTY", line: 1, mark: "" },
  {
    name: "a file of comments",
    files: trio("0001_a", UP, "-- nothing\n/* at /* all */ */\n;"),
    code: "MIGRATION_EMPTY",
    line: 1,
    mark: "-",
  },
  {
    name: "an include of psql",
    files: trio("0001_a", "-- midflight: phase expand\n\\i other.sql\n"),
    code: "MIGRATION_COMMAND",
    line: 2,
    mark: "\\i",
  },
  {
    name: "a copy of psql",
    files: trio("0001_a", `${UP}\\copy a from 'x'`),
    code: "MIGRATION_COMMAND",
    line: 4,
    mark: "\\copy",
  },
  {
    name: "a copy from a stream",
    files: trio("0001_a", `${UP}copy a from stdin;`),
    code: "MIGRATION_COMMAND",
    line: 4,
    mark: "copy",
  },
  {
    name: "a transaction of its own",
    files: trio("0001_a", "-- midflight: phase expand\nbegin;\nselect 1;"),
    code: "MIGRATION_COMMAND",
    line: 2,
    mark: "begin",
  },
  { name: "a commit", files: trio("0001_a", `${UP}  Commit;`), code: "MIGRATION_COMMAND", line: 4, mark: "Commit" },
])("$name is told at its place", ({ files, code, line, mark }) => {
  const { problems } = read(files);
  expect(problems).toMatchObject([{ code, line }]);
  expect(problems.map(marked)).toEqual([mark]);
});

test("a file in another encoding is told once, and not as missing", () => {
  const [up, verify] = trio("0001_a");
  const down = { name: "0001_a.down.sql", bytes: new Uint8Array([0x2d, 0x2d, 0xe9, 0x0a]) };
  expect(read([up as MigrationFile, verify as MigrationFile, down])).toMatchObject({
    migrations: [],
    problems: [{ code: "FILE_NOT_TEXT", file: "migrations/orders/0001_a.down.sql", line: 1, column: 3 }],
  });
});

test.each([
  { name: "a text", sql: "select '\\i; begin;'" },
  { name: "a text with doubled quotes", sql: "select 'it''s \\ ; x'" },
  { name: "a text with escapes", sql: "select E'\\'; \\i x'" },
  { name: "a quoted name", sql: 'select 1 as "\\;"' },
  {
    name: "a function's body",
    sql: "create function f() returns void language plpgsql as $$ begin perform '\\'; commit; end $$",
  },
  { name: "a body with a tag", sql: "do $do$ begin raise '$$ \\;'; end $do$" },
  { name: "a comment", sql: "select 1 -- \\i; begin\n" },
  { name: "a nested comment", sql: "select /* \\i /* ; */ begin; */ 1" },
])("what only stands in $name is no command", ({ sql }) => {
  const scan = scanSql(sql);
  expect(scan.backslashes).toEqual([]);
  expect(scan.statements).toHaveLength(1);
});

test("statements are told apart by their semicolons", () => {
  expect(
    scanSql("create table a ();\n\nINSERT into a\n values (1) ; select $1; ;").statements.map(
      (statement) => statement.head,
    ),
  ).toEqual(["CREATE TABLE A", "INSERT INTO A VALUES", "SELECT"]);
});

test("whatever the text, it is scanned to its end", () => {
  const shards = fc.constantFrom(
    "'",
    "''",
    "E'",
    '"',
    "$$",
    "$a$",
    "--",
    "\n",
    "/*",
    "*/",
    "\\",
    ";",
    "select ",
    "$1",
    "é",
    "e",
    "begin",
    "-",
    "/",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(shards, { maxLength: 30 }).map((parts) => parts.join("")),
      ),
      (sql) => {
        const scan = scanSql(sql);
        for (const at of scan.backslashes) expect(sql[at]).toBe("\\");
        for (const { at } of scan.statements) expect(at).toBeLessThan(sql.length);
      },
    ),
  );
});

test("a long file is scanned in time that grows with it", () => {
  expect(scanSql("insert into a values ('x', 1);\n".repeat(30_000)).statements).toHaveLength(30_000);
});
