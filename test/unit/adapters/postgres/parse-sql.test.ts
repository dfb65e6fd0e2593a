import fc from "fast-check";
import { expect, test } from "vitest";
import { pgSqlReader } from "../../../../src/adapters/postgres/parse-sql.ts";

const reader = pgSqlReader();
const never = new AbortController().signal;

test("statements are cut exactly, whatever stands before, between and in them", async () => {
  const text = "/* a; /* b; */ */ select 'ü;😀'; -- c;\n\n update \"Ö;\" set a = $x$;$x$ where b = 1  ;\n;\n";
  const read = await reader.read(text, never);
  expect(read.kind === "parsed" && read.statements.map(({ at, end }) => text.slice(at, end))).toEqual([
    "select 'ü;😀'",
    'update "Ö;" set a = $x$;$x$ where b = 1',
  ]);
});

test("a syntax error is placed where the grammar gave up", async () => {
  const text = "select 'ü😀';\ncrate table t (a int);";
  expect(await reader.read(text, never)).toEqual({
    kind: "refused",
    at: text.indexOf("crate"),
    message: 'PostgreSQL\'s grammar refuses this: syntax error at or near "crate"',
  });
});

test("what nests too deep is refused, not crashed on", async () => {
  const read = await reader.read(`select 1${"+1".repeat(20_000)}`, never);
  expect(read).toMatchObject({ kind: "refused", message: "this nests deeper than can be read" });
  // The next text is read as if nothing had been.
  expect(await reader.read("select 1", never)).toMatchObject({ kind: "parsed" });
});

test("an aborted read says so", async () => {
  await expect(reader.read("select 1", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});

test("any text has an answer, with places within it", async () => {
  const word = fc.constantFrom(
    ..."select insert update delete alter table drop create index concurrently function do $$ begin end execute ' \" ; -- /* */ ( ) , a b 1 = \n ü 😀 language plpgsql as returns void".split(
      " ",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 25 }), async (words) => {
      const text = words.join(" ");
      const read = await reader.read(text, never);
      const places = read.kind === "refused" ? [read.at] : read.statements.flatMap(({ at, end }) => [at, end]);
      expect(places).toEqual(places.map((place) => Math.min(Math.max(place, 0), text.length)));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});
