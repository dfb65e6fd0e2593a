import { describe, expect, test } from "vitest";
import { split } from "../../../../src/adapters/postgres/split.ts";
import { kindOf } from "../../../../src/adapters/postgres/statement-kind.ts";
import { migration } from "../../../support/migrations.ts";

const kinds = async (up: string) => (await split(migration("0001_x", { up }), "up")).map(kindOf);

describe("statements of a file", () => {
  test("are cut where PostgreSQL cuts them, each with its own line", async () => {
    const up =
      "-- midflight: phase expand; größer\nselect ';' as \"a;b\";\n\n/* ; */ create function f() returns int language sql as $$ select 1; select 2 $$;\nselect 3";
    const statements = await split(migration("0001_x", { up }), "up");
    expect(statements.map(({ number, of, line, text }) => ({ number, of, line, text }))).toEqual([
      { number: 1, of: 3, line: 2, text: "select ';' as \"a;b\"" },
      { number: 2, of: 3, line: 4, text: "create function f() returns int language sql as $$ select 1; select 2 $$" },
      { number: 3, of: 3, line: 5, text: "select 3" },
    ]);
  });

  test.each(["", " \n", "-- nothing\n", "/* nothing */;"])("are none in %j", async (up) => {
    expect(await split(migration("0001_x", { up }), "up")).toEqual([]);
  });

  test.each([
    "begin",
    "start transaction",
    "commit",
    "end",
    "rollback",
    "prepare transaction 'x'",
    "commit prepared 'x'",
  ])("are refused when one of them is %s", async (stray) => {
    await expect(kinds(`select 1;\n${stray};`)).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringContaining("0001_x.up.sql:2"),
    });
  });

  test("may set savepoints", async () => {
    expect(await kinds("savepoint a; rollback to savepoint a; release savepoint a;")).toHaveLength(3);
  });

  test.each([
    { sql: `create index concurrently i on s."T" (a)`, kind: { kind: "create-index", table: `"s"."T"`, index: "i" } },
    { sql: "create index concurrently on t (a)", kind: { kind: "opaque" } },
    { sql: "create index i on t (a)", kind: { kind: "coupled" } },
    { sql: `drop index concurrently s."I"`, kind: { kind: "drop-index", index: `"s"."I"` } },
    { sql: "reindex index concurrently i", kind: { kind: "reindex", relation: `"i"` } },
    { sql: "reindex (concurrently) table t", kind: { kind: "reindex", relation: `"t"` } },
    { sql: "reindex table t", kind: { kind: "coupled" } },
    { sql: "alter table p detach partition q concurrently", kind: { kind: "detach", table: `"p"`, partition: `"q"` } },
    { sql: "alter table p detach partition q", kind: { kind: "coupled" } },
    { sql: "set work_mem = '8MB'", kind: { kind: "setting" } },
    { sql: "vacuum analyze t", kind: { kind: "repeatable" } },
    { sql: "update t set a = 1", kind: { kind: "coupled" } },
    { sql: "do $$ begin perform 1; end $$", kind: { kind: "coupled" } },
    { sql: "do $$ begin commit; end $$", kind: { kind: "opaque" } },
    { sql: "call p()", kind: { kind: "opaque" } },
    { sql: "create database d", kind: { kind: "opaque" } },
  ])("$sql is $kind.kind", async ({ sql, kind }) => {
    expect(await kinds(sql)).toEqual([kind]);
  });
});
