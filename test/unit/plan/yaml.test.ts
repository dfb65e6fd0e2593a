import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSource, MOST_BYTES, unreadable } from "../../../src/plan/source/decode-source.ts";
import { readYaml } from "../../../src/plan/source/read-yaml.ts";
import type { Problem } from "../../../src/errors/problem.ts";
import { marked } from "./plans.ts";

const read = (text: string) => readYaml(text, "file.yaml");
const problemsOf = (text: string): readonly Problem[] => {
  const result = read(text);
  return result.kind === "read" ? [] : result.problems;
};
const valueOf = (text: string): unknown => {
  const result = read(text);
  if (result.kind === "refused") throw new Error(result.problems.map((problem) => problem.message).join("\n"));
  return result.value;
};

test.each([
  { text: "a: 1\nb: no\nc: 12:30\nd: 1_000\ne: ~", value: { a: 1, b: "no", c: "12:30", d: "1_000", e: null } },
  { text: '{"a": [1, "x", true, null]}', value: { a: [1, "x", true, null] } },
  { text: "a: &x [1, 2]\nb: *x", value: { a: [1, 2], b: [1, 2] } },
  { text: "a: &x 1\nb: &x 2\nc: *x", value: { a: 1, b: 2, c: 2 } },
  { text: "a: |\n  two\n  lines\n", value: { a: "two\nlines\n" } },
  { text: "a: 1\r\nb: 2\r\n", value: { a: 1, b: 2 } },
  { text: "# only a comment", value: null },
  { text: "---\na: 1\n", value: { a: 1 } },
  { text: "2: x\ntrue: y", value: { "2": "x", true: "y" } },
])("$text is read as YAML 1.2", ({ text, value }) => {
  expect(valueOf(text)).toEqual(value);
});

test.each([
  {
    name: "a key twice",
    text: "a: 1\nb: 2\na: 3",
    code: "KEY_DUPLICATE",
    at: [3, 1],
    says: '"a" stands here a second time',
  },
  { name: "a key twice, once in quotes", text: "a: 1\n'a': 3", code: "KEY_DUPLICATE", at: [2, 1], says: "second time" },
  { name: "a tab", text: "a:\n\t- b", code: "YAML_SYNTAX", at: [2, 1], says: "a tab indents" },
  { name: "an open list", text: "a: [1, 2\nb: 3", code: "YAML_SYNTAX", at: [1, 4], says: '"[" is not closed' },
  { name: "an open block", text: "{a: 1", code: "YAML_SYNTAX", at: [1, 1], says: '"{" is not closed' },
  { name: "an open quote", text: 'a: "x', code: "YAML_SYNTAX", at: [1, 6], says: "quotes is not closed" },
  {
    name: "an item without its dash",
    text: "steps:\n- a: 1\n  b: 2\n c: 3",
    code: "YAML_SYNTAX",
    at: [4, 2],
    says: 'begins with no "-"',
  },
  {
    name: "a bad indentation",
    text: "a:\n    b: 1\n   c: 2",
    code: "YAML_SYNTAX",
    at: [3, 4],
    says: "fits no line above",
  },
  { name: "a colon in a text", text: "a: b: c", code: "YAML_SYNTAX", at: [1, 4], says: 'a second ": "' },
  { name: "a reserved character", text: "a: @x", code: "YAML_SYNTAX", at: [1, 4], says: 'cannot begin with "@"' },
  { name: "a percent sign at the start", text: "a: %x", code: "YAML_SYNTAX", at: [1, 4], says: "cannot begin with" },
  { name: "an unknown escape", text: 'a: "\\q"', code: "YAML_SYNTAX", at: [1, 5], says: "escape" },
  { name: "a key without a colon", text: "a: 1\nb", code: "YAML_SYNTAX", at: [2, 1], says: 'no "key: value"' },
  { name: "a stray bracket", text: "a: }", code: "YAML_SYNTAX", at: [1, 4], says: "not expected here" },
  { name: "a second document", text: "a: 1\n---\nb: 2", code: "YAML_REFUSED", at: [2, 1], says: "second document" },
  { name: "an alias of nothing", text: "a: *x", code: "YAML_REFUSED", at: [1, 4], says: "nothing is named &x" },
  {
    name: "an alias before its anchor",
    text: "a: *x\nb: &x 1",
    code: "YAML_REFUSED",
    at: [1, 4],
    says: "before this alias",
  },
  {
    name: "an alias inside itself",
    text: "a: &x [1, *x]",
    code: "YAML_REFUSED",
    at: [1, 11],
    says: "inside &x itself",
  },
  { name: "a merge key", text: "a: &x {b: 1}\nc:\n  <<: *x", code: "YAML_REFUSED", at: [3, 3], says: "merge keys" },
  { name: "a tag", text: "a: !foo 1", code: "YAML_REFUSED", at: [1, 4], says: "tags are not used" },
  { name: "a known tag", text: "a: !!str 1", code: "YAML_REFUSED", at: [1, 10], says: "tags are not used" },
  { name: "a list as a key", text: "? [a, b]\n: 1", code: "YAML_REFUSED", at: [1, 3], says: "plain word" },
  { name: "an alias as a key", text: "a: &x y\n*x : 1", code: "YAML_REFUSED", at: [2, 1], says: "plain word" },
  { name: "a prototype", text: "__proto__: {a: 1}", code: "YAML_REFUSED", at: [1, 1], says: "no key" },
  {
    name: "a strange version of YAML",
    text: "%YAML 3.0\n---\na: 1",
    code: "YAML_REFUSED",
    at: [1, 7],
    says: "directive",
  },
])("$name is told as a sentence at its place", ({ text, code, at, says }) => {
  const [first] = problemsOf(text);
  expect(first).toMatchObject({
    code,
    line: at[0],
    column: at[1],
    message: expect.stringContaining(says) as string,
    hint: expect.any(String) as string,
  });
});

test("several mistakes of the same kind are all told", () => {
  expect(problemsOf("a: 1\na: 2\nb: *x\nc: !t 1\na: 3").map((problem) => problem.line)).toEqual([4]);
  expect(problemsOf("a: 1\na: 2\nb: *x\na: 3").map((problem) => problem.line)).toEqual([2, 3, 4]);
  expect(problemsOf("a: @x\nb: 1\nc: `y\n").map((problem) => problem.line)).toEqual([1, 3]);
});

test("a bomb of aliases is refused where it grows too large, and costs next to nothing", () => {
  const lines = Array.from(
    { length: 30 },
    (_, index) => `l${index + 1}: &l${index + 1} [${Array.from({ length: 10 }, () => `*l${index}`).join(", ")}]`,
  );
  const problems = problemsOf(["l0: &l0 x", ...lines].join("\n"));
  expect(problems).toMatchObject([{ code: "YAML_REFUSED", line: 5, message: "aliases repeat more than 10000 values" }]);
});

test.each([
  { name: "brackets", text: "[".repeat(200_000) },
  { name: "blocks", text: "{a: ".repeat(100_000) },
  { name: "dashes", text: "- ".repeat(50_000) },
  { name: "closed brackets", text: "[".repeat(100) + "]".repeat(100) },
  { name: "keys", text: Array.from({ length: 900 }, (_, index) => `${" ".repeat(index)}a:`).join("\n") },
])("a hundred thousand nested $name are refused", ({ text }) => {
  expect(problemsOf(text)[0]).toMatchObject({
    message: expect.stringMatching(/nested too deeply|not closed/) as string,
  });
});

test("a block of many keys is read in time that grows with it, not with its square", () => {
  const keys = Array.from({ length: 60_000 }, (_, index) => `key-${index}: 1`).join("\n");
  expect(Object.keys(valueOf(keys) as object)).toHaveLength(60_000);
});

test("columns count characters, also after those that take two units", () => {
  const [problem] = problemsOf('"🛩🛩": "\\q"');
  expect(problem).toMatchObject({ line: 1, column: 8 });
});

test("a password in a line that is shown is starred out", () => {
  const [problem] = problemsOf("url: postgres://me:hunter2@db/x\nurl: postgres://me:hunter2@db/x");
  expect(problem?.source).toBe("url: postgres://me:*******@db/x");
  const [other] = problemsOf(`a: '[{"apiKey":"k","secret":"s3cr3t","passphrase":"p w"}]', b`);
  expect(other?.source).not.toMatch(/s3cr3t/);
});

test("whatever the text, it is read or refused with places inside it", () => {
  const shards = fc.constantFrom(
    "a: ",
    "- ",
    "\n",
    "  ",
    "\t",
    "[",
    "]",
    "{",
    "}",
    ",",
    ": ",
    "? ",
    "&x ",
    "*x",
    "!t ",
    "|\n",
    ">",
    '"',
    "'",
    "#",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: ",
    "\\",
    "@",
    "1",
    "null",
    "\r",
    "\u2028",
    "🛩",
    "x: y\n",
  );
  const texts = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.array(shards, { maxLength: 40 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const lines = text.split("\n");
      for (const problem of problemsOf(text)) {
        const line = lines[problem.line - 1];
        expect(line).toBeDefined();
        expect(problem.column).toBeGreaterThanOrEqual(1);
        expect(problem.column).toBeLessThanOrEqual(Array.from(line ?? "").length + 1);
        expect(problem.message + (problem.hint ?? "")).not.toMatch(/undefined|\[object/);
      }
    }),
    { numRuns: 1_000 },
  );
});

const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : [...part])));
const refusalOf = (input: Uint8Array): Problem => {
  const decoded = decodeSource(input, "file.yaml");
  if (decoded.kind === "decoded") throw new Error("decoded");
  return decoded.problems[0] as Problem;
};

test("a byte order mark is dropped", () => {
  expect(decodeSource(bytes([0xef, 0xbb, 0xbf], "a: 1"), "file.yaml")).toEqual({ kind: "decoded", text: "a: 1" });
});

test.each([
  { name: "a file of more than a megabyte", input: new Uint8Array(MOST_BYTES + 1), code: "FILE_TOO_LARGE", at: [0, 0] },
  { name: "UTF-16", input: bytes([0xff, 0xfe, 0x61, 0x00]), code: "FILE_NOT_TEXT", at: [0, 0] },
  { name: "a NUL", input: bytes("a: ", [0]), code: "FILE_NOT_TEXT", at: [0, 0] },
  { name: "a program", input: bytes([0x7f, 0x45, 0x4c, 0x46, 0x00, 0xff, 0xfe]), code: "FILE_NOT_TEXT", at: [0, 0] },
  { name: "Latin-1", input: bytes("a: 1\nname: caf", [0xe9], "\n"), code: "FILE_NOT_TEXT", at: [2, 10] },
  {
    name: "half a character at the end",
    input: bytes("a: 1\nb: 🛩\nc: ", [0xf0, 0x9f]),
    code: "FILE_NOT_TEXT",
    at: [3, 4],
  },
  { name: "a control character", input: bytes("a: 1\nb: \u001b[31mred"), code: "FILE_NOT_TEXT", at: [2, 4] },
])("$name is refused before anything reads it", ({ input, code, at }) => {
  expect(refusalOf(input)).toMatchObject({ code, line: at[0], column: at[1], hint: expect.any(String) as string });
});

test("whatever the bytes, they are text or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (input) => {
      const decoded = decodeSource(input, "file.yaml");
      const isSound =
        decoded.kind === "refused"
          ? decoded.problems.length === 1
          : new TextEncoder().encode(decoded.text).length <= input.length;
      expect(isSound).toBe(true);
    }),
  );
});

test.each(["ENOENT", "EISDIR", "EACCES", "EIO"])(
  "a file that cannot be read (%s) is a problem like any other",
  (reason) => {
    expect(unreadable("plans/x.yaml", reason)).toMatchObject({
      code: "FILE_UNREADABLE",
      file: "plans/x.yaml",
      line: 0,
      hint: expect.any(String) as string,
    });
  },
);

test("what is underlined is what is wrong", () => {
  expect(problemsOf("a: 1\nabc: 2\nabc: 3").map(marked)).toEqual(["abc"]);
});
