import fc from "fast-check";
import { expect, test } from "vitest";
import { CATALOG } from "../../../src/errors/catalog.ts";
import type { Problem } from "../../../src/errors/problem.ts";
import { problemsJson, renderProblems } from "../../../src/errors/render.ts";

const problem = (more: Partial<Problem> = {}): Problem => ({
  code: "KEY_UNKNOWN",
  message: 'a wave has no key "bach"',
  file: "plans/x.yaml",
  line: 14,
  column: 27,
  source: "      - { regions: [tokyo], bach: 1 }",
  length: 4,
  path: "steps[1].waves[0].bach",
  hint: 'did you mean "batch"?',
  ...more,
});

test("a problem shows its place, its line, a caret under what is wrong, and what to do", () => {
  expect(renderProblems([problem({ column: 29 })])).toBe(
    [
      'error[KEY_UNKNOWN]: a wave has no key "bach"',
      "  --> plans/x.yaml:14:29  (steps[1].waves[0].bach)",
      "   |",
      "14 |       - { regions: [tokyo], bach: 1 }",
      "   |                             ^^^^",
      '   = did you mean "batch"?',
      "",
      "1 problem in plans/x.yaml; nothing was touched",
    ].join("\n"),
  );
});

test("a file as a whole has no line", () => {
  const {
    source: _source,
    length: _length,
    path: _path,
    ...whole
  } = problem({ line: 0, column: 0, message: "there is no such file", hint: "check the path" });
  expect(renderProblems([whole])).toBe(
    [
      "error[KEY_UNKNOWN]: there is no such file",
      "  --> plans/x.yaml",
      "   = check the path",
      "",
      "1 problem in plans/x.yaml; nothing was touched",
    ].join("\n"),
  );
});

const caretLine = (one: Problem): { readonly text: string; readonly caret: string } => {
  const lines = renderProblems([one]).split("\n");
  return { text: lines[3] ?? "", caret: lines[4] ?? "" };
};

test.each([
  { name: "after tabs", source: "\t\tab: 1", column: 3, text: "  ab: 1" },
  { name: "after characters of double width", source: "東京: ab", column: 5, text: "東京: ab" },
  { name: "after an accent of its own", source: "e\u0301 ab", column: 4, text: "e\u0301 ab" },
])("the caret stands under its character $name", ({ source, column, text }) => {
  const shown = caretLine(problem({ source, column, length: 2 }));
  expect(shown.text).toBe(`14 | ${text}`);
  const columns = (line: string) =>
    Array.from(line).reduce(
      (sum, character) => sum + (/\p{M}/u.test(character) ? 0 : /\p{Script=Han}/u.test(character) ? 2 : 1),
      0,
    );
  expect(columns(shown.caret.slice(0, shown.caret.indexOf("^")))).toBe(
    columns(shown.text.slice(0, shown.text.lastIndexOf("ab"))),
  );
});

test("of a very long line the part around the problem is shown", () => {
  const source = `${"x".repeat(500)}bad${"y".repeat(500)}`;
  const { text, caret } = caretLine(problem({ source, column: 501, length: 3 }));
  expect(text.length).toBeLessThan(160);
  expect(text.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("bad");
});

test("a file cannot steer the terminal", () => {
  const evil = "\u001B[2J\u202Emoc.live\u0007\u009B31m";
  const text = renderProblems([problem({ message: evil, source: evil, file: evil, hint: evil, path: evil })]);
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test("colours are the caller's, and only around words", () => {
  const painted = renderProblems([problem()], (style, text) => `<${style}>${text}</${style}>`);
  expect(painted).toContain("<bad>error[KEY_UNKNOWN]</bad>: <bold>");
  expect(painted.replaceAll(/<\/?(bad|bold)>/g, "")).toBe(renderProblems([problem()]));
});

test("of very many problems a hundred are shown and the rest are counted", () => {
  const text = renderProblems(Array.from({ length: 250 }, (_, index) => problem({ line: index + 1 })));
  expect(text).toContain("plans/x.yaml:100:");
  expect(text).not.toContain("plans/x.yaml:101:");
  expect(text).toContain(
    "150 more are not shown; --json has them all. 250 problems in plans/x.yaml; nothing was touched",
  );
});

test("machines get every problem, with its range", () => {
  expect(problemsJson([problem(), problem({ line: 0, column: 0 })])).toMatchObject([
    {
      kind: "problem",
      code: "KEY_UNKNOWN",
      file: "plans/x.yaml",
      range: { start: { line: 14, column: 27 }, end: { line: 14, column: 31 } },
      path: "steps[1].waves[0].bach",
      hint: 'did you mean "batch"?',
      docs: "midflight explain KEY_UNKNOWN",
    },
    { kind: "problem", code: "KEY_UNKNOWN" },
  ]);
  expect(problemsJson([problem({ line: 0 })])[0]).not.toHaveProperty("range");
});

test("whatever the line and the place, the text has its caret", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 400 }),
      (source, column, length) => {
        const text = renderProblems([problem({ source: source.replaceAll(/[\n\r]/g, " "), column, length })]);
        expect(text.split("\n")).toHaveLength(8);
        expect(text).toContain("^");
      },
    ),
  );
});

test("codes stand in the catalog in alphabetical order, and each explains itself in sentences", () => {
  const codes = Object.keys(CATALOG);
  expect(codes).toEqual(codes.toSorted());
  for (const { explain } of Object.values(CATALOG)) expect(explain).toMatch(/^[A-Z`a-z].*[.)?]$/);
});
