import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { BUDGETS } from "../../../../src/adapters/postgres/budgets.ts";
import { ruleOf, RULES, type RuleId } from "../../../../src/rehearsal/lint/rules.ts";
import { RUNNER_LIMITS } from "../../../../src/rehearsal/lint/runner-limits.ts";

const README = fileURLToPath(new URL("../../../../src/rehearsal/lint/README.md", import.meta.url));
const rules = Object.keys(RULES) as RuleId[];

test("the README says of each rule what the code says", () => {
  const text = readFileSync(README, "utf8");
  const row = (rule: RuleId): string => {
    const { severity, decidedBy, catches } = ruleOf(rule);
    return `| \`${rule}\` | ${severity} | ${decidedBy.join(", ")} | ${catches} |`;
  };
  expect(rules.map(row).filter((one) => !text.includes(one))).toEqual([]);
  expect(text.match(/^\| `/gm)).toHaveLength(rules.length);
});

test("every rule has somebody who decides it, and a name that an allow can say", () => {
  for (const rule of rules) {
    expect(ruleOf(rule).decidedBy.length).toBeGreaterThan(0);
    expect(rule).toMatch(/^[a-z0-9-]+$/);
  }
});

test("the lint believes of the runner what the runner does", () => {
  expect(BUDGETS).toMatchObject(RUNNER_LIMITS);
});
