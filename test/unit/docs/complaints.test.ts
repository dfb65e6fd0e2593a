import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// The page promises a test for each complaint about another tool. Both know the complaint by the same name, such as `nomad#10882`.
const root = new URL("../../../", import.meta.url).pathname;
const page = readFileSync(join(root, "docs/complaints.md"), "utf8");
const TOOLS =
  "argo-rollouts|containers-roadmap|flagger|helm|kargo|kayenta|kubernetes|meho|nomad|open-bank-oss|spinnaker";
const NAMED = new RegExp(`\\b(?:${TOOLS})#\\d+`, "g");

type Row = { readonly name: string; readonly issue: string; readonly tests: readonly string[] };
const rows: readonly Row[] = page
  .split("\n")
  .filter((line) => line.startsWith("| ["))
  .map((line) => ({
    name: /^\| \[([^\]]+)\]/.exec(line)?.[1] ?? "",
    issue: /\((https:[^)]+)\)/.exec(line)?.[1] ?? "",
    tests: [...line.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, path = ""]) => path),
  }));
const pairsOf = (name: string, files: readonly string[]): readonly string[] => files.map((file) => `${name} ${file}`);

test("each complaint has one line, with its public address and a test", () => {
  expect(rows.length).toBeGreaterThan(0);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { name, issue, tests } of rows) {
    const [tool = "", number = ""] = name.split("#");
    expect(issue).toMatch(new RegExp(`^https://github\\.com/[\\w.-]+/${tool}/issues/${number}$`));
    expect(tests, name).not.toEqual([]);
  }
});

test("each line points to tests that name its complaint, and each complaint that a test names has its line", () => {
  const inTests = globSync("test/**/*.test.ts", { cwd: root }).flatMap((file) =>
    [...new Set(readFileSync(join(root, file), "utf8").match(NAMED))].flatMap((name) => pairsOf(name, [file])),
  );
  const onPage = rows.flatMap(({ name, tests }) => pairsOf(name, tests));
  // This file says one as an example.
  expect(inTests.filter((pair) => !pair.endsWith("/complaints.test.ts")).toSorted()).toEqual(onPage.toSorted());
});
