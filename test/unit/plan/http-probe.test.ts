import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkEnvironment, checkTogether } from "../../../src/plan/check.ts";
import { checkSecrets } from "../../../src/plan/check-secrets.ts";
import { operationsIn } from "../../../src/plan/operations-of.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { cohortKeysOf } from "../../../src/plan/request-texts.ts";
import { paymentEnvironment } from "../../fakes/payment-server.ts";
import { changed, located, marked, PLAN, planOf } from "./plans.ts";

const TEXT = paymentEnvironment("https://pay.example/api");
type Change = readonly [string, string];
const problemsOf = (...changes: readonly Change[]) => {
  const parsed = parseEnvironment(changed(TEXT, changes), "payments.yaml");
  return parsed.ok ? checkEnvironment(parsed.located) : parsed.problems;
};

test("a probe over HTTP means what it says", () => {
  const { value } = located(parseEnvironment(TEXT, "payments.yaml"));
  expect(checkEnvironment(located(parseEnvironment(TEXT, "payments.yaml")))).toEqual([]);
  expect(value.regions["tokyo"]?.probe).toEqual({
    kind: "http",
    url: "https://pay.example/api",
    rules: "payments",
    values: { token: { env: "PAYMENTS_TOKEN" } },
    cohorts: { env: "PAYMENTS_COHORTS" },
    headers: { authorization: "Bearer {token}", "x-merchant": "{merchant}" },
    operations: [
      {
        name: "pay",
        method: "POST",
        path: "/v1/payments",
        headers: {},
        body: { kind: "json", value: { reference: "{id}", amount: 1, at: "{now}" } },
        keep: { paymentId: "data.id" },
        shown: { method: "GET", path: "/v1/payments/{paymentId}", headers: {}, at: "data.state", is: "captured" },
      },
      {
        name: "refund",
        method: "POST",
        path: "/v1/refunds",
        headers: {},
        body: { kind: "json", value: { reference: "{pay.id}" } },
        keep: {},
        shown: { method: "GET", path: "/v1/payments/{paymentId}", headers: {}, at: "data.state", is: "refunded" },
      },
    ],
    cleanUp: "refund",
    releaseHeader: "x-release",
    instanceHeader: "x-instance",
  });
  expect(operationsIn(value)).toEqual(["pay", "refund"]);
});

test("what only a cohort can give a value for is known", () => {
  const probe = located(parseEnvironment(TEXT, "payments.yaml")).value.regions["tokyo"]?.probe;
  if (probe?.kind !== "http") throw new Error("no probe over HTTP");
  expect(cohortKeysOf(probe)).toEqual(["merchant"]);
});

test("each secret of a probe is asked for", () => {
  expect(checkSecrets(located(parseEnvironment(TEXT, "payments.yaml")), {}).map(({ message }) => message)).toEqual([
    "the environment variable PAYMENTS_TOKEN is not set: the value token of the probe of tokyo",
    "the environment variable PAYMENTS_COHORTS is not set: the probe cohorts of tokyo",
  ]);
});

const WITHOUT_COHORTS: Change = ["        cohorts: { env: PAYMENTS_COHORTS }\n", ""];

test.each<{ name: string; changes: readonly Change[]; code: string; mark: string; hint?: RegExp }>([
  {
    name: "a placeholder that nothing gives a value for",
    changes: [WITHOUT_COHORTS],
    code: "PLACEHOLDER_UNKNOWN",
    mark: "{merchant}",
    hint: /there are: id, now, nowMs, cohort, token/,
  },
  {
    name: "a value that an operation keeps only later",
    changes: [
      WITHOUT_COHORTS,
      ["{merchant}", "{token}"],
      ["path: /v1/payments\n", 'path: "/v1/payments/{paymentId}"\n'],
    ],
    code: "PLACEHOLDER_UNKNOWN",
    mark: "{paymentId}",
  },
  {
    name: "a value that is kept only later, also where cohorts give values",
    changes: [["path: /v1/payments\n", 'path: "/v1/payments/{paymentId}"\n']],
    code: "PLACEHOLDER_UNKNOWN",
    mark: "{paymentId}",
  },
  {
    name: "the id of an operation that is not before it",
    changes: [["{pay.id}", "{refund.id}"]],
    code: "PLACEHOLDER_UNKNOWN",
    mark: "{refund.id}",
    hint: /pay\.id/,
  },
  { name: "half a placeholder", changes: [['"{pay.id}"', '"{pay.id"']], code: "VALUE_WRONG", mark: "{", hint: /\{\{/ },
  {
    name: "a clean-up that is no operation",
    changes: [["cleanUp: refund", "cleanUp: refnd"]],
    code: "VALUE_WRONG",
    mark: "refnd",
    hint: /did you mean "refund"/,
  },
  {
    name: "a clean-up that comes first",
    changes: [["cleanUp: refund", "cleanUp: pay"]],
    code: "VALUE_WRONG",
    mark: "pay",
  },
  {
    name: "a name with two meanings",
    changes: [["{ token: { env: PAYMENTS_TOKEN } }", "{ token: { env: PAYMENTS_TOKEN }, paymentId: x }"]],
    code: "NAME_REPEATED",
    mark: "paymentId",
  },
  {
    name: "a value called as what every request knows",
    changes: [["{ token: { env: PAYMENTS_TOKEN } }", "{ token: { env: PAYMENTS_TOKEN }, now: x }"]],
    code: "NAME_REPEATED",
    mark: "now",
  },
  {
    name: "a body of a GET",
    changes: [["method: POST\n            path: /v1/payments\n", "method: GET\n            path: /v1/payments\n"]],
    code: "VALUE_WRONG",
    mark: "body",
  },
  { name: "two bodies", changes: [["body: { json:", "body: { text: x, json:"]], code: "KEY_UNKNOWN", mark: "text" },
  {
    name: "a token in a header",
    changes: [["Bearer {token}", "Bearer abcdef"]],
    code: "SECRET_IN_FILE",
    mark: '"Bearer ******"',
    hint: /placeholder/,
  },
  {
    name: "a token as a value",
    changes: [["{ token: { env: PAYMENTS_TOKEN } }", "{ token: abcdef }"]],
    code: "SECRET_IN_FILE",
    mark: "******",
  },
  {
    name: "cohorts in the file",
    changes: [["cohorts: { env: PAYMENTS_COHORTS }", 'cohorts: "[]"']],
    code: "SECRET_IN_FILE",
    mark: '"[]"',
  },
  {
    name: "a password in the address",
    changes: [["url: https://pay", "url: https://me:pw@pay"]],
    code: "SECRET_IN_FILE",
    mark: "https://me:**@pay.example/api",
  },
  {
    name: "an address with a query",
    changes: [["url: https://pay.example/api", "url: https://pay.example/api?v=1"]],
    code: "VALUE_WRONG",
    mark: "https://pay.example/api?v=1",
  },
  {
    name: "a header of the connection",
    changes: [["x-merchant:", "Transfer-Encoding:"]],
    code: "VALUE_WRONG",
    mark: "Transfer-Encoding",
  },
  {
    name: "a JSON path that cannot be read",
    changes: [["at: data.state, is: captured", "at: data..state, is: captured"]],
    code: "VALUE_WRONG",
    mark: ".",
  },
  {
    name: "an unknown method",
    changes: [["method: POST", "method: POTS"]],
    code: "VALUE_WRONG",
    mark: "POTS",
    hint: /did you mean "POST"/,
  },
  {
    name: "a misspelt key of an operation",
    changes: [["keep:", "kep:"]],
    code: "KEY_UNKNOWN",
    mark: "kep",
    hint: /did you mean "keep"/,
  },
  {
    name: "a probe of no known kind",
    changes: [["      http:\n", "      htp:\n"]],
    code: "KEY_UNKNOWN",
    mark: "htp",
    hint: /did you mean "http"/,
  },
  {
    name: "no operation at all",
    changes: [
      [
        TEXT.slice(TEXT.indexOf("        operations:\n"), TEXT.indexOf("        releaseHeader")),
        "        operations: {}\n",
      ],
    ],
    code: "GUARD_BLIND",
    mark: "{}",
  },
])("$name is told with its place", ({ changes, code, mark, hint }) => {
  const [problem] = problemsOf(...changes);
  expect({ code: problem?.code, mark: problem === undefined ? "" : marked(problem) }).toEqual({ code, mark });
  expect(problem?.hint ?? "").toMatch(hint ?? /^/);
});

test("a secret in a header is not printed with its line", () => {
  const [problem] = problemsOf(['authorization: "Bearer {token}"', "x-api-key: abcdefgh"]);
  expect(problem?.code).toBe("SECRET_IN_FILE");
  expect(problem?.source).not.toContain("abcdefgh");
});

test("codes that no path of the answer could give never match", () => {
  expect(problemsOf(["    code: [error.code, result.code]\n", ""]).map(({ code }) => code)).toEqual([
    "RULE_UNREACHABLE",
  ]);
});

describe("what the guard of a plan watches", () => {
  const together = (operations: string) =>
    checkTogether({
      plan: planOf(changed(PLAN, [["operations: [order, amend, cancel]", operations]])),
      environment: located(parseEnvironment(TEXT, "payments.yaml")),
    }).filter(({ code }) => code === "OPERATION_UNPROBED");

  test("is tried by the probe of every region", () => expect(together("operations: [pay, refund]")).toEqual([]));

  test("is told with its place where it is not", () => {
    const [problem, ...others] = together("operations: [pay, refnd]");
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      line: 18,
      message: 'no probe of tokyo tries the operation "refnd"',
      hint: 'did you mean "refund"?',
    });
  });

  test("is a venue's where nothing is said, and then told too", () =>
    expect(together("baseline: { atMost: 0.1% }").map(({ message }) => message)).toEqual([
      'no probe of tokyo tries the operation "order"',
      'no probe of tokyo tries the operation "amend"',
      'no probe of tokyo tries the operation "cancel"',
    ]));
});

test("the environment of the documentation is in order", () => {
  const page = readFileSync(new URL("../../../docs/rules.md", import.meta.url), "utf8");
  const [, yaml = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  expect(checkEnvironment(located(parseEnvironment(yaml, "docs/rules.md")))).toEqual([]);
});
