import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Problem } from "../../../src/errors/problem.ts";
import { renderProblems } from "../../../src/errors/render.ts";
import { CATALOG } from "../../../src/errors/catalog.ts";
import { checkEnvironment, checkPlan, checkReleases } from "../../../src/plan/check.ts";
import type { Parsed } from "../../../src/plan/located.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parsePlan } from "../../../src/plan/parse-plan.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import { ENVIRONMENT, PLAN, RELEASES } from "./plans.ts";

const FILES = [
  { text: PLAN, problems: (input: string | Uint8Array) => all(parsePlan(input, "f.yaml"), checkPlan) },
  {
    text: ENVIRONMENT,
    problems: (input: string | Uint8Array) => all(parseEnvironment(input, "f.yaml"), checkEnvironment),
  },
  { text: RELEASES, problems: (input: string | Uint8Array) => all(parseReleases(input, "f.yaml"), checkReleases) },
] as const;

function all<T>(
  parsed: Parsed<T>,
  check: (located: { readonly value: T; readonly source: never }) => readonly Problem[],
): readonly Problem[] {
  return parsed.ok ? check(parsed.located as never) : parsed.problems;
}

/** Every problem has a code that is explained, a place inside the file, and words that a person can read. */
function expectReadable(problems: readonly Problem[], text: string): void {
  const lines = text.split("\n");
  for (const problem of problems) {
    expect(Object.keys(CATALOG)).toContain(problem.code);
    expect(problem.message + (problem.hint ?? "")).not.toMatch(/undefined|\[object|Invalid input|NaN/);
    if (problem.line === 0) continue;
    expect(problem.line).toBeLessThanOrEqual(lines.length);
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.column + (problem.length ?? 1)).toBeLessThanOrEqual(
      Array.from(lines[problem.line - 1] ?? "").length + 2,
    );
  }
  expect(renderProblems(problems)).not.toBe("");
}

const anyFile = fc.constantFrom(...FILES);

test("whatever bytes a file holds, it is read or refused, and nothing is thrown", () => {
  fc.assert(
    fc.property(anyFile, fc.uint8Array({ maxLength: 200 }), (file, bytes) => {
      expectReadable(file.problems(bytes), new TextDecoder().decode(bytes));
    }),
  );
});

const anyScalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("gateway", "rest", "none", "20s", "5%", "expand", "constructor", "toString"),
);
const anyTree = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    anyScalar,
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          "midflight",
          "steps",
          "roll",
          "waves",
          "env",
          "run",
          "constructor",
          "toString",
          "hasOwnProperty",
        ),
      ),
      tie("tree"),
      { maxKeys: 3 },
    ),
  ),
})).tree;

test("whatever JSON a file holds, every problem has its place", () => {
  fc.assert(
    fc.property(anyFile, anyTree, (file, tree) => {
      const text = JSON.stringify(tree, undefined, 1);
      expectReadable(file.problems(text), text);
    }),
    { numRuns: 500 },
  );
});

// A value anywhere in a good file is replaced, a key is renamed or dropped: the mistakes that people make.
test("whatever is changed in a good file, it is still read or refused with places", () => {
  const changes = fc.record({
    file: anyFile,
    at: fc.nat(),
    tree: anyTree,
    how: fc.constantFrom("replace", "rename", "drop", "add" as const),
    key: fc.oneof(fc.string(), fc.constantFrom("migrate", "roll", "soak", "driver", "env")),
  });
  fc.assert(
    fc.property(changes, ({ file, at, tree, how, key }) => {
      const text = JSON.stringify(change(parse(file.text), at, how, key, tree), undefined, 1);
      expectReadable(file.problems(text), text);
    }),
    { numRuns: 1_000 },
  );
});

test("whatever piece is cut out of a good file or put into it, it is still read or refused with places", () => {
  const shards = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("\n", "\t", "  ", ": ", "- ", "[", "}", "*x", "&x ", "#", '"', "'", "|\n", "---\n", "!t ", "<<: "),
  );
  fc.assert(
    fc.property(anyFile, fc.nat(), fc.nat({ max: 12 }), shards, (file, at, cut, shard) => {
      const start = at % file.text.length;
      const text = file.text.slice(0, start) + shard + file.text.slice(start + cut);
      expectReadable(file.problems(text), text);
    }),
    { numRuns: 1_000 },
  );
});

type How = "replace" | "rename" | "drop" | "add";

/** Changes the value that is visited as number `at`. */
function change(tree: unknown, at: number, how: How, key: string, value: unknown): unknown {
  const count = (node: unknown): number =>
    typeof node === "object" && node !== null
      ? Object.values(node).reduce<number>((sum, child) => sum + count(child), 1)
      : 1;
  let left = at % count(tree);
  const walk = (node: unknown): unknown => {
    if (left-- === 0)
      return how === "add" && typeof node === "object" && node !== null && !Array.isArray(node)
        ? { ...node, [key]: value }
        : value;
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).flatMap(([name, child]) => {
        const isHit = left === 0;
        if (isHit && how === "drop") {
          left -= 1;
          return [];
        }
        if (isHit && how === "rename") {
          left -= 1;
          return [[key, child]];
        }
        return [[name, walk(child)]];
      }),
    );
  };
  return walk(tree);
}
