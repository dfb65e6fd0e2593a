import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ruleOf, RULES, type RuleId } from "../../../../src/rehearsal/lint/rules.ts";
import { CORPUS, corpus, lintCase } from "../../../support/corpus.ts";

const faulty = corpus("l");
const sound = corpus("s");

describe("a faulty migration is found before anything runs", () => {
  test.each(faulty)("$slug", async (one) => {
    const findings = await lintCase(one);
    expect([...new Set(findings.map(({ rule }) => rule))].toSorted()).toEqual([...one.rules].toSorted());
    expect(findings.some(({ severity }) => severity === "block")).toBe(one.severity === "block");
    for (const finding of findings) {
      expect(finding.line).toBeGreaterThan(0);
      expect(finding.source?.slice(finding.column - 1)).not.toBe("");
      expect(finding.message).not.toBe("");
      expect(finding.instead).not.toBe("");
    }
  });
});

test("a sound migration passes without a word", async () => {
  const alarms = await Promise.all(sound.map(async (one) => [one.slug, await lintCase(one)] as const));
  expect(alarms.filter(([, findings]) => findings.length > 0)).toEqual([]);
  expect(sound.length).toBeGreaterThanOrEqual(10);
});

test("every rule that the text decides has a case", () => {
  const shown = new Set(faulty.flatMap(({ rules }) => rules));
  const decided = (Object.keys(RULES) as RuleId[]).filter((rule) => ruleOf(rule).decidedBy.includes("lint"));
  expect(decided.filter((rule) => !shown.has(rule))).toEqual([]);
});

test("a rule that only running decides never speaks before", async () => {
  const findings = (await Promise.all([...faulty, ...sound, ...corpus("r")].map(lintCase))).flat();
  const silent = findings.filter(
    ({ rule }) => !rule.startsWith("squawk:") && !ruleOf(rule as RuleId).decidedBy.includes("lint"),
  );
  expect(silent).toEqual([]);
});

test("the corpus is large enough, and its README tells of each case why it is what it is", () => {
  const all = corpus("");
  const readme = readFileSync(join(CORPUS, "README.md"), "utf8");
  expect(all.filter(({ slug, why }) => !readme.includes(`\`${slug}\``) || !readme.includes(why))).toEqual([]);
  expect(all.length).toBeGreaterThanOrEqual(40);
});
