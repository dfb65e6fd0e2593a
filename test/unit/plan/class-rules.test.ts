import { describe, expect, test } from "vitest";
import { checkEnvironment } from "../../../src/plan/check.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { isInRange, parseRuleCodes } from "../../../src/plan/rule-codes.ts";
import { changed, ENVIRONMENT, located, marked } from "./plans.ts";

const withRules = (rules: string): string => `${ENVIRONMENT}rules:\n  mine:\n${rules}`;
const problemsOf = (text: string) => {
  const parsed = parseEnvironment(text, "production.yaml");
  return parsed.ok ? checkEnvironment(parsed.located) : parsed.problems;
};
/** Lines of the rules are counted from the first of them. */
const FIRST_LINE = ENVIRONMENT.split("\n").length + 2;
const brief = (text: string) =>
  problemsOf(text).map((problem) => ({
    code: problem.code,
    at: `${problem.line - FIRST_LINE + 1}:${problem.column}`,
    marked: marked(problem),
    says: problem.message,
    hint: problem.hint,
  }));

test("rules mean what they say, with a status as a number or a range", () => {
  const { value } = located(
    parseEnvironment(
      withRules(
        '    extends: okx-v5\n    code: [error.code, "data[0].sCode"]\n    codes: { ok: ["0"], service: ["700-799"] }\n    status: { rate: [429, 420-422] }\n    transport: { cut: service }\n    lostState: ["51400"]\n    failingPrefix: E5\n',
      ),
      "production.yaml",
    ),
  );
  expect(value.rules["mine"]).toEqual({
    extends: "okx-v5",
    code: ["error.code", "data[0].sCode"],
    codes: { ok: ["0"], service: ["700-799"] },
    status: { rate: ["429", "420-422"] },
    transport: { cut: "service" },
    lostState: ["51400"],
    failingPrefix: "E5",
    answers: "json",
  });
});

test.each<{ name: string; rules: string; code: string; at: string; mark: string; says?: RegExp; hint?: RegExp }>([
  {
    name: "a code in two classes",
    rules: '    codes: { ok: ["0", "7"], business: ["7"] }\n',
    code: "RULES_CONTRADICT",
    at: "1:41",
    mark: '"7"',
    says: /^7 is business here, and ok by "7"$/,
    hint: /one class/,
  },
  {
    name: "a range that swallows a code of another class",
    rules: '    codes:\n      ok: ["0"]\n      service: ["700-799"]\n      rate: ["750"]\n',
    code: "RULES_CONTRADICT",
    at: "4:14",
    mark: '"750"',
    says: /^750 is rate here, and service by the range 700-799$/,
  },
  {
    name: "a code that a later range of another class swallows",
    rules: '    codes:\n      ok: ["0", "750"]\n      service: ["700-799"]\n',
    code: "RULES_CONTRADICT",
    at: "2:17",
    mark: '"750"',
    says: /^750 is ok here, and service by the range 700-799$/,
  },
  {
    name: "two ranges of different classes that meet",
    rules: '    codes:\n      ok: ["0"]\n      service: ["700-799"]\n      business: ["790-820"]\n',
    code: "RULES_CONTRADICT",
    at: "4:18",
    mark: '"790-820"',
    says: /^790 is business here, and service by the range 700-799$/,
  },
  {
    name: "a row that stands there twice",
    rules: '    codes: { ok: ["0", "0"] }\n',
    code: "RULE_UNREACHABLE",
    at: "1:24",
    mark: '"0"',
    says: /"0" can never match: 0 has it already/,
  },
  {
    name: "a code within a range of its own class",
    rules: '    codes: { ok: ["0"], service: ["700-799", "750"] }\n',
    code: "RULE_UNREACHABLE",
    at: "1:46",
    mark: '"750"',
  },
  {
    name: "a range within a later one of its own class",
    rules: '    codes: { ok: ["0"], service: ["710-719", "700-799"] }\n',
    code: "RULE_UNREACHABLE",
    at: "1:35",
    mark: '"710-719"',
  },
  {
    name: "a range that ends before it begins",
    rules: '    codes: { ok: ["0"], service: ["799-700"] }\n',
    code: "RULE_UNREACHABLE",
    at: "1:35",
    mark: '"799-700"',
    says: /ends before it begins/,
  },
  {
    name: "a range that is none of numbers",
    rules: '    codes: { ok: ["0"], service: ["7xx-8xx"] }\n',
    code: "RULE_UNREACHABLE",
    at: "1:35",
    mark: '"7xx-8xx"',
    says: /from one number to another/,
  },
  {
    name: "a status in two classes",
    rules: "    status: { ok: [200-299], business: [204] }\n",
    code: "RULES_CONTRADICT",
    at: "1:41",
    mark: "204",
  },
  {
    name: "rules by which nothing is ever ok",
    rules: '    codes: { service: ["1"] }\n',
    code: "RULES_WITHOUT_OK",
    at: "0:3",
    mark: "mine",
    hint: /codes: \{ ok:/,
  },
  {
    name: "an unknown class",
    rules: '    codes: { ok: ["0"], servise: ["1"] }\n',
    code: "KEY_UNKNOWN",
    at: "1:25",
    mark: "servise",
    hint: /did you mean "service"/,
  },
  {
    name: "an unknown class of a transport error",
    rules: '    codes: { ok: ["0"] }\n    transport: { cut: ambigous }\n',
    code: "VALUE_WRONG",
    at: "2:23",
    mark: "ambigous",
    hint: /did you mean "ambiguous"/,
  },
  {
    name: "a code that is a number",
    rules: "    codes: { ok: [0] }\n",
    code: "VALUE_WRONG",
    at: "1:19",
    mark: "0",
    hint: /put it in quotes: "0"/,
  },
  {
    name: "a status that is none",
    rules: "    status: { ok: [42] }\n",
    code: "VALUE_WRONG",
    at: "1:20",
    mark: "42",
    says: /a status of HTTP/,
  },
  {
    name: "a JSON path that cannot be read",
    rules: '    code: ["data[0]..sCode"]\n    codes: { ok: ["0"] }\n',
    code: "VALUE_WRONG",
    at: "1:20",
    mark: ".",
    says: /no name follows this dot/,
  },
  {
    name: "a code of lost state that is a failure anyway",
    rules: '    codes: { ok: ["0"], service: ["700-799"] }\n    lostState: ["750"]\n',
    code: "RULE_UNREACHABLE",
    at: "2:17",
    mark: '"750"',
    says: /750 is service/,
  },
  {
    name: "a range of lost state",
    rules: '    codes: { ok: ["0"] }\n    lostState: ["700-799"]\n',
    code: "RULE_UNREACHABLE",
    at: "2:17",
    mark: '"700-799"',
  },
  {
    name: "a table to build on that does not ship",
    rules: "    extends: okx-v4\n",
    code: "VALUE_WRONG",
    at: "1:14",
    mark: "okx-v4",
    hint: /did you mean "okx-v5"/,
  },
])("$name", ({ rules, code, at, mark, says, hint }) => {
  const [problem, ...others] = brief(withRules(rules));
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code, at, marked: mark });
  expect(problem?.says).toMatch(says ?? /./);
  expect(problem?.hint ?? "").toMatch(hint ?? /^/);
});

describe("rules that are named", () => {
  test.each([
    { name: "by a probe", change: ["accounts: { env: PROBES_TOKYO }", "accounts: { env: PROBES_TOKYO }, rules: mien"] },
    {
      name: "by counters",
      change: ["instances: 6 }", "instances: 6, counters: { path: /m, metric: ops, rules: mien } }"],
    },
    {
      name: "by a source",
      change: ["environment: production", "environment: production\nsources: [{ command: [count], rules: mien }]"],
    },
  ] as const)("$name and stand nowhere", ({ change }) => {
    const text = withRules('    codes: { ok: ["0"] }\n');
    expect(brief(changed(text, [change]))).toMatchObject([
      { code: "RULES_UNKNOWN", marked: "mien", hint: 'did you mean "mine"?' },
    ]);
  });

  test("okx-v5 need not be written, and cannot be", () => {
    const named: readonly [string, string] = ["{ env: PROBES_TOKYO }", "{ env: PROBES_TOKYO }, rules: okx-v5"];
    expect(problemsOf(changed(ENVIRONMENT, [named]))).toEqual([]);
    expect(brief(changed(withRules('    codes: { ok: ["0"] }\n'), [["mine:", "okx-v5:"]]))).toMatchObject([
      { code: "NAME_REPEATED", marked: "okx-v5" },
    ]);
  });
});

describe("a range", () => {
  const range = (text: string) => {
    const parsed = parseRuleCodes(text);
    if (parsed.kind !== "range") throw new Error(`${text} is ${parsed.kind}`);
    return parsed;
  };

  test.each([
    {
      codes: "700-799",
      holds: ["700", "750", "799"],
      not: ["699", "800", "0750", "75", "7500", "7a0", "", "constructor"],
    },
    { codes: "1-100", holds: ["1", "7", "100"], not: ["007", "0", "101", "-5"] },
    { codes: "0050-0060", holds: ["0055"], not: ["55", "00055"] },
  ])("$codes holds as many digits as its ends have", ({ codes, holds, not }) => {
    expect(holds.filter((code) => isInRange(code, range(codes)))).toEqual(holds);
    expect(not.filter((code) => isInRange(code, range(codes)))).toEqual([]);
  });

  test.each(["-1", "-32601", "card-declined", "3ds-failed", "SUCCEEDED", "E1-retry"])(
    "%s is a code as it stands",
    (code) => expect(parseRuleCodes(code)).toEqual({ kind: "code", code }),
  );

  test.each(["700-", "700-7xx", "8-7", "0050-60"])("%s can never match", (codes) =>
    expect(parseRuleCodes(codes).kind).toBe("never"),
  );
});
