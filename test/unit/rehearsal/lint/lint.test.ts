import { describe, expect, test } from "vitest";
import { lintTexts, told } from "./lint-text.ts";

type Row = { readonly name: string; readonly given: Parameters<typeof lintTexts>[0]; readonly says: readonly string[] };

describe("a table that nobody can know yet is left alone, any other is in use", () => {
  test.each<Row>([
    {
      name: "an index on a table of the same file",
      given: ["create table t (a int); create index on t (a); update t set a = 1;"],
      says: [],
    },
    {
      name: "an index on a table of an earlier migration, which may have been applied long ago",
      given: ["create table t (a int);", "create index i on t (a);"],
      says: ["up:1:1 index-not-concurrent"],
    },
    {
      name: "an index on a table that may have been there before",
      given: ["create table if not exists t (a int); create index i on t (a);"],
      says: ["up:1:39 index-not-concurrent"],
    },
    {
      name: "a table by its schema and without it",
      given: [
        "create table public.t (a int); create index i on t (a); create table s.t (a int); create index j on s.t (a);",
      ],
      says: [],
    },
    {
      name: "a table renamed in the file that made it",
      given: ["create table t (a int); alter table t rename to u; create index i on u (a);"],
      says: [],
    },
    {
      name: "a function or schema of the same name as a table",
      given: [
        "create schema orders;\ncreate function accounts() returns int language sql return 1;\ncreate index i on orders (a);\ncreate index j on accounts (a);",
      ],
      says: ["up:3:1 index-not-concurrent", "up:4:1 index-not-concurrent", "up:4:1 lock-order-vs-app"],
    },
    {
      name: "the real table behind a temporary one that is gone",
      given: ["create temp table t (a int);\ndrop table t;\ndrop table t;"],
      says: ["up:3:1 drop-column-or-table"],
    },
    {
      name: "a view that may have been replaced",
      given: [{ up: "create or replace view v as select 1;\ndrop view v;", down: "drop view v;" }],
      says: ["up:2:1 drop-other-object"],
    },
    {
      name: "a foreign key that a new table has",
      given: ["create table t (a int references orders (id));"],
      says: [],
    },
    {
      name: "a down file that takes away what its up may have made",
      given: [{ up: "create table if not exists t (a int);", down: "drop table t;" }],
      says: [],
    },
    {
      name: "a down file that takes away what another up made",
      given: ["create table t (a int);", { up: "create table u (a int);", down: "drop table u; drop table t;" }],
      says: ["down:1:15 drop-column-or-table"],
    },
    {
      name: "what a down file does is undone before the next migration",
      given: [
        {
          up: "alter table t add constraint c check (a is not null) not valid;",
          down: "alter table t drop constraint c;",
        },
        { up: "alter table t validate constraint c;", down: "select 1;" },
        "alter table t alter a set not null;",
      ],
      says: [],
    },
  ])("$name", async ({ given, says }) => {
    expect(told(await lintTexts(given))).toEqual(says);
  });
});

describe("a place is exact", () => {
  test.each<Row>([
    {
      name: "behind comments, also nested ones and ones with characters of several bytes",
      given: ["/* ä /* 😀 */ */ -- ö\n  /* x */ create index i on t (a);"],
      says: ["up:2:11 index-not-concurrent"],
    },
    {
      name: "columns count characters",
      given: ["select '😀ä'; drop table t;"],
      says: ["up:1:14 drop-column-or-table"],
    },
    {
      name: "in the body of a DO",
      given: ["do $$\nbegin\n\n  perform 1;\n  delete from t;\nend $$;"],
      says: ["up:5:3 unbounded-write"],
    },
    {
      name: "in a body in single quotes the statement is all there is",
      given: ["do 'begin delete from t where a = ''x''; delete from t; end';"],
      says: ["up:1:1 unbounded-write"],
    },
    {
      name: "a function's doing at its call",
      given: ["create function f() returns void language sql as $$ delete from t $$;\nselect f();"],
      says: ["up:2:1 unbounded-write"],
    },
    {
      name: "with line feeds of Windows",
      given: ["select 1;\r\n\r\ndrop table t;\r\n"],
      says: ["up:3:1 drop-column-or-table"],
    },
  ])("$name", async ({ given, says }) => {
    expect(told(await lintTexts(given))).toEqual(says);
  });

  test("a finding holds the line, how much of it is meant, the lock, and the number of the statement", async () => {
    expect(await lintTexts(["select 1;\n  create index i\n  on t (a);"])).toEqual([
      {
        rule: "index-not-concurrent",
        severity: "block",
        file: "m/0001_a.up.sql",
        line: 2,
        column: 3,
        length: 14,
        source: "  create index i",
        message: "CREATE INDEX stops every write to t until the index is built",
        lock: { mode: "SHARE", table: "t" },
        instead: expect.stringContaining("CONCURRENTLY"),
        statement: 2,
      },
    ]);
  });
});

describe("the runner's own time-outs count, and a file that changes them is judged by what holds then", () => {
  test.each<Row>([
    { name: "a file that sets none", given: ["alter table t add column a int;"], says: [] },
    { name: "a shorter one", given: ["set local lock_timeout = 50; alter table t add column a int;"], says: [] },
    {
      name: "a longer one matters where a lock stops writes",
      given: [
        "set local lock_timeout = '1min';\nselect 1;\ninsert into t values (1);\nalter table u add column a int;",
      ],
      says: ["up:4:1 lock-timeout-missing"],
    },
    {
      name: "RESET ALL and DISCARD are RESET too",
      given: ["reset all;\ndiscard all;\nset lock_timeout to default;"],
      says: [
        "up:1:1 lock-timeout-not-in-effect",
        "up:2:1 lock-timeout-not-in-effect",
        "up:3:1 lock-timeout-not-in-effect",
      ],
    },
    {
      name: "of a file without a transaction nothing holds",
      given: [{ up: "set lock_timeout = '3s';\nalter table t add column a int;", transactional: false }],
      says: ["up:1:1 lock-timeout-not-in-effect"],
    },
    {
      name: "other settings are the file's own business",
      given: ["set local work_mem = '64MB'; set local statement_timeout = '10s'; reset work_mem;"],
      says: [],
    },
  ])("$name", async ({ given, says }) => {
    expect(told(await lintTexts(given))).toEqual(says);
  });
});

describe("what is hidden is looked for, or said to be hidden", () => {
  test.each<Row>([
    {
      name: "EXECUTE of a text",
      given: ["do $$ begin execute 'drop table t'; end $$;"],
      says: ["up:1:7 drop-column-or-table"],
    },
    {
      name: "EXECUTE of more than a text",
      given: ["do $$ begin execute 'drop table ' || 't'; end $$;"],
      says: ["up:1:7 opaque-sql"],
    },
    {
      name: "FOR … IN EXECUTE",
      given: ["do $$ declare r record; begin for r in execute f() loop end loop; end $$;"],
      says: ["up:1:7 opaque-sql"],
    },
    {
      name: "RETURN QUERY EXECUTE and OPEN FOR EXECUTE",
      given: [
        "create function f(q text) returns setof int language plpgsql as $$ begin return query execute q; end $$;",
        "create function g(q text) returns void language plpgsql as $$ declare c refcursor; begin open c for execute q; end $$;",
      ],
      says: ["up:1:68 opaque-sql", "up:1:63 opaque-sql"],
    },
    {
      name: "a language that is not analysed",
      given: ["create function f() returns void language plpython3u as $$ import os $$;"],
      says: ["up:1:1 opaque-sql"],
    },
    { name: "a body that does not parse", given: ["do $$ begin nonsense end $$;"], says: ["up:1:1 opaque-sql"] },
    { name: "a procedure of somebody else", given: ["call p();"], says: ["up:1:1 opaque-sql"] },
    {
      name: "a function that only stands there does nothing, nor does one that calls itself",
      given: ["create function f() returns void language plpgsql as $$ begin perform f(); delete from t; end $$;"],
      says: [],
    },
    {
      name: "a function that calls another",
      given: [
        "create function f() returns void language sql begin atomic delete from t; end;\ncreate function g() returns void language plpgsql as $$ begin perform f(); end $$;",
        "select g();",
      ],
      says: ["up:1:1 unbounded-write"],
    },
    {
      name: "what stands in WITH",
      given: ["with x as (update t set a = 1 returning a) select * from x;"],
      says: ["up:1:1 unbounded-write"],
    },
    { name: "what is prepared", given: ["prepare q as delete from t;\nexecute q;"], says: ["up:1:1 unbounded-write"] },
    { name: "what is only explained", given: ["explain delete from t;"], says: [] },
    {
      name: "what is explained by running it",
      given: ["explain (analyze, buffers) delete from t;"],
      says: ["up:1:1 unbounded-write"],
    },
  ])("$name", async ({ given, says }) => {
    expect(told(await lintTexts(given))).toEqual(says);
  });
});

describe("where the text is not enough, the lint says so and does not block", () => {
  test.each([
    { name: "an unknown type to a wider numeric", up: "alter table t alter a type numeric(24, 8);", severity: "warn" },
    { name: "an unknown type to text", up: "alter table t alter a type text;", severity: "warn" },
    { name: "anything to bigint", up: "alter table t alter a type bigint;", severity: "block" },
    { name: "a computed value", up: "alter table t alter a type text using a || 'x';", severity: "block" },
  ])("$name: $severity", async ({ up, severity }) => {
    const findings = await lintTexts([up]);
    expect(findings.map((one) => [one.rule, one.severity])).toEqual([["type-change-rewrite", severity]]);
  });

  test.each([
    ["varchar(20)", "varchar(40)", false],
    ["varchar(20)", "text", false],
    ["varchar(40)", "varchar(20)", true],
    ["numeric(20, 8)", "numeric(24, 8)", false],
    ["numeric(20, 8)", "numeric(24, 10)", true],
    ["numeric(20, 8)", "numeric", false],
    ["int", "bigint", true],
    ["text", "varchar", false],
    ["int", "int", false],
  ])("%s to %s in a file that knows both: rewrite %s", async (from, to, isFound) => {
    const findings = await lintTexts([`alter table t add column a ${from};`, `alter table t alter a type ${to};`]);
    expect(findings.map((one) => [one.rule, one.severity])).toEqual(isFound ? [["type-change-rewrite", "block"]] : []);
  });
});

describe("a lock that is held makes what follows worse", () => {
  test.each<Row>([
    {
      name: "two columns of one table",
      given: ["alter table t add column a int; alter table t add column b int;"],
      says: [],
    },
    {
      name: "a few rows of the text",
      given: ["alter table t add column a int; insert into u values (1), (2);"],
      says: [],
    },
    {
      name: "rows of a query",
      given: ["alter table t add column a int;\ninsert into u select * from v;"],
      says: ["up:2:1 ddl-after-exclusive-lock"],
    },
    {
      name: "statement by statement nothing is held",
      given: [{ up: "alter table t add column a int;\nalter table u add column a int;", transactional: false }],
      says: [],
    },
    {
      name: "two tables of which none is locked against reads",
      given: [
        "alter table t add constraint c foreign key (a) references u (a) not valid;\nalter table v add constraint c foreign key (a) references u (a) not valid;",
      ],
      says: ["up:2:1 lock-order-vs-app"],
    },
    {
      name: "the constraint that a migration before added may be validated",
      given: ["alter table t add constraint c check (a > 0) not valid;", "alter table t validate constraint c;"],
      says: [],
    },
  ])("$name", async ({ given, says }) => {
    expect(told(await lintTexts(given))).toEqual(says);
  });
});
