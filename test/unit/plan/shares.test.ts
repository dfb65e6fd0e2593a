import { describe, expect, test } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import type { Move } from "../../../src/graph/move.ts";
import { checkEnvironment } from "../../../src/plan/check.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import {
  changed,
  checkAllChanged,
  ENVIRONMENT,
  located,
  marked,
  MIGRATIONS,
  PLAN,
  planOf,
  RELEASES,
  type Changes,
} from "./plans.ts";

const AS_PROCESSES =
  "{ driver: process, balancer: { tokyo: http://127.0.0.1:7190, frankfurt: http://127.0.0.1:7290 }, instances: 6 }";
const SWITCHED =
  "{ driver: kubernetes, deployment: gateway, service: gateway, traffic: { switch: selector }, contexts: { tokyo: prod-tokyo, frankfurt: prod-frankfurt }, instances: 6, port: 8080 }";
const ROUTED = SWITCHED.replace("switch: selector", "httpRoute: gateway, beside: gateway-beside");
const PLAIN = SWITCHED.replace(" traffic: { switch: selector },", "");
const FULL = "batch: 6, surge: 6";
type Edits = readonly (readonly [string, string])[];

const waves = (both: string): Edits => [
  ["batch: 2, surge: 2", both],
  ["batch: 1, surge: 1", both],
];
const on = (gateway: string, plan: Edits): Changes => ({
  plan,
  environment: [[AS_PROCESSES, gateway]],
  releases: [["{ process:", `{ kubernetes: { image: "registry/gateway@sha256:${"a".repeat(64)}" }, process:`]],
});
const movesOf = ({ plan = [], environment = [], releases = [] }: Changes): readonly Move[] =>
  compile({
    plan: planOf(changed(PLAN, plan)).value,
    environment: located(parseEnvironment(changed(ENVIRONMENT, environment), "production.yaml")).value,
    releases: located(parseReleases(changed(RELEASES, releases), "releases.yaml")).value,
    migrations: MIGRATIONS,
    sha256: (text) => text,
  }).moves.filter(({ id }) => id.includes("wave-1"));
const brief = (moves: readonly Move[]): readonly string[] =>
  moves.map((move) => `${move.id.replace(/^.*batch-1\//, "")}: ${move.title}`);

describe("users who go over to a full second set", () => {
  test("are moved share by share, each is soaked, and the old ones leave after the last", () => {
    const plan = waves(`${FULL}, shares: [5%, 50%, 100%]`);
    expect(checkAllChanged({ plan })).toEqual([]);
    expect(brief(movesOf({ plan }))).toEqual([
      "start: start gateway@2.0 6/6 in the dark in tokyo",
      "prove: prove gateway@2.0 in the dark in tokyo",
      "shift-5: shift 5% to gateway@2.0 in tokyo",
      "shift-5/soak: soak 20s",
      "shift-50: shift 50% to gateway@2.0 in tokyo",
      "shift-50/soak: soak 20s",
      "admit: switch all users to gateway@2.0 in tokyo",
      "admit/soak: soak 20s",
      "retire: retire the old ones in tokyo",
    ]);
  });

  test("are switched all at once by a selector, whether the plan says so or not, and by the same moves as processes are", () => {
    const said = waves(`${FULL}, shares: [100%]`);
    for (const plan of [said, waves(FULL)]) {
      expect(checkAllChanged(on(SWITCHED, plan))).toEqual([]);
      expect(brief(movesOf(on(SWITCHED, plan)))).toEqual(brief(movesOf({ plan: said })));
    }
    expect(brief(movesOf({ plan: said }))).toEqual([
      "start: start gateway@2.0 6/6 in the dark in tokyo",
      "prove: prove gateway@2.0 in the dark in tokyo",
      "admit: switch all users to gateway@2.0 in tokyo",
      "admit/soak: soak 20s",
      "retire: retire the old ones in tokyo",
    ]);
  });

  test("are moved share by share by a route, by the same moves as processes are", () => {
    const shares = waves(`${FULL}, shares: [5%, 50%, 100%]`);
    expect(checkAllChanged(on(ROUTED, shares))).toEqual([]);
    expect(brief(movesOf(on(ROUTED, shares)))).toEqual(brief(movesOf({ plan: shares })));
    expect(brief(movesOf(on(ROUTED, waves(FULL)))).filter((line) => line.includes("switch"))).toHaveLength(1);
  });

  test("come to a set that nobody proved, where the plan says so, and not before it is there", () => {
    const unproved: Edits = [...waves(FULL), ["- roll: gateway\n", "- roll: gateway\n    dark: none\n"]];
    expect(brief(movesOf(on(SWITCHED, unproved))).map((line) => line.split(":")[0])).toEqual([
      "start",
      "admit",
      "admit/soak",
      "retire",
    ]);
  });
});

test.each<{ name: string; changes: Changes; code: string; says: RegExp; hint: RegExp; at: string }>([
  {
    name: "shares that fall",
    changes: { plan: waves(`${FULL}, shares: [50%, 5%, 100%]`) },
    code: "SHARES_IMPOSSIBLE",
    says: /50%, 5%, 100% do not rise to 100%/,
    hint: /rising order/,
    at: "[50%, 5%, 100%]",
  },
  {
    name: "shares that leave users behind",
    changes: { plan: waves(`${FULL}, shares: [50%]`) },
    code: "SHARES_IMPOSSIBLE",
    says: /50% do not rise to 100%/,
    hint: /100% as the last/,
    at: "[50%]",
  },
  {
    name: "shares for less than a full set",
    changes: { plan: waves("batch: 2, surge: 2, shares: [100%]") },
    code: "SHARES_IMPOSSIBLE",
    says: /batch 2 with surge 2 brings less than the 6 instances/,
    hint: /batch: 6, surge: 6/,
    at: "2",
  },
  {
    name: "a full set without room for it",
    changes: { plan: waves("batch: 6, surge: 0, shares: [100%]") },
    code: "SHARES_IMPOSSIBLE",
    says: /batch 6 with surge 0/,
    hint: /batch: 6, surge: 6/,
    at: "0",
  },
  {
    name: "batches where users are switched all at once",
    changes: on(SWITCHED, []),
    code: "SHARES_IMPOSSIBLE",
    says: /users of gateway go over to a full second set, and batch 1/,
    hint: /batch: 6, surge: 6/,
    at: "1",
  },
  {
    name: "a part of the users where a selector names one release",
    changes: on(SWITCHED, waves(`${FULL}, shares: [5%, 100%]`)),
    code: "DRIVER_CANNOT",
    says: /a Service's selector names one release/,
    hint: /shares: \[100%\]/,
    at: "[5%, 100%]",
  },
  {
    name: "shares of a Service that sends every pod the same",
    changes: on(PLAIN, waves(`${FULL}, shares: [100%]`)),
    code: "DRIVER_CANNOT",
    says: /a Service sends every pod the same/,
    hint: /traffic: \{ switch: selector \}/,
    at: "[100%]",
  },
  {
    name: "a shift of a part where a selector switches all",
    changes: on(SWITCHED, [
      ...waves(FULL),
      [
        "  - migrate: orders-db\n    phase: contract",
        "  - shift: gateway\n    to: 50%\n  - migrate: orders-db\n    phase: contract",
      ],
    ]),
    code: "DRIVER_CANNOT",
    says: /switched by the roll itself, all at once/,
    hint: /driver process/,
    at: "gateway",
  },
  {
    name: "a step that shifts, where a route gives shares",
    changes: on(ROUTED, [
      ...waves(FULL),
      [
        "  - migrate: orders-db\n    phase: contract",
        "  - shift: gateway\n    to: 50%\n  - migrate: orders-db\n    phase: contract",
      ],
    ]),
    code: "DRIVER_CANNOT",
    says: /moved by the roll itself, by the `shares` of its waves/,
    hint: /driver process/,
    at: "gateway",
  },
])("$name: refused, with the place and what to write", ({ changes, code, says, hint, at }) => {
  const found = checkAllChanged(changes).find((problem) => problem.code === code && says.test(problem.message));
  expect(found).toMatchObject({ code, message: expect.stringMatching(says), hint: expect.stringMatching(hint) });
  expect(found === undefined ? "" : marked(found)).toBe(at);
});

test.each([
  {
    name: "a StatefulSet has no second set",
    gateway: SWITCHED.replace("deployment:", "statefulSet:"),
    says: /pods of a StatefulSet are replaced in their places/,
  },
  {
    name: "a DaemonSet has no second set",
    gateway: SWITCHED.replace("deployment:", "daemonSet:"),
    says: /pods of a DaemonSet are replaced in their places/,
  },
  {
    name: "a Service beside itself is no second one",
    gateway: ROUTED.replace("beside: gateway-beside", "beside: gateway"),
    says: /gateway as its service and as the one beside it, so that no weight tells the releases apart/,
  },
  {
    name: "a StatefulSet behind a route has no second set",
    gateway: ROUTED.replace("deployment:", "statefulSet:"),
    says: /pods of a StatefulSet are replaced in their places/,
  },
])("$name to switch to", ({ gateway, says }) => {
  const environment = located(parseEnvironment(changed(ENVIRONMENT, [[AS_PROCESSES, gateway]]), "production.yaml"));
  expect(checkEnvironment(environment)).toContainEqual(
    expect.objectContaining({ code: "DRIVER_CANNOT", message: expect.stringMatching(says) }),
  );
});

test.each([
  "{ switch: weights }",
  "{ switch: selector, route: x }",
  "selector",
  "{ httpRoute: gateway }",
  "{ httpRoute: gateway, beside: b, switch: selector }",
])("traffic that says %s is no way to switch users", (traffic) => {
  const file = changed(ENVIRONMENT, [[AS_PROCESSES, SWITCHED.replace("{ switch: selector }", traffic)]]);
  expect(parseEnvironment(file, "production.yaml").ok).toBe(false);
});
