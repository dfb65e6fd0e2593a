import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EnvironmentFact } from "../../../../src/ports/facts.ts";
import { matches, type PlacedAcceptance } from "../../../../src/rehearsal/parity/accept.ts";
import { compare, isAlike, restricted } from "../../../../src/rehearsal/parity/compare.ts";
import { demo, fact, production, someFacts } from "./facts.ts";

const NOW = Date.UTC(2026, 10, 21);
const accept = (pattern: string, more: Partial<PlacedAcceptance> = {}): PlacedAcceptance => ({
  fact: pattern,
  because: "a smaller machine",
  untilMs: NOW + 1,
  from: "production",
  index: 0,
  ...more,
});

describe("two environments", () => {
  test("of the same facts are alike, whatever these are", () => {
    fc.assert(
      fc.property(someFacts, (facts) => {
        const comparison = compare(demo(...facts), production(...facts), [], NOW);
        expect(comparison.differences).toEqual([]);
        expect(isAlike(comparison)).toBe(true);
      }),
    );
  });

  test("differ in every single fact that is changed, added or taken away, in both directions", () => {
    const change = fc.record({ at: fc.nat(), how: fc.constantFrom("change", "remove", "add") });
    fc.assert(
      fc.property(someFacts, change, (facts, { at, how }) => {
        fc.pre(facts.length > 0);
        const place = at % facts.length;
        const touched = facts[place];
        if (touched === undefined) throw new Error("there is no such fact");
        const others = facts.filter((_, index) => index !== place);
        const changed: EnvironmentFact = { ...touched, value: "something else that is nowhere" };
        const [left, right] =
          how === "change" ? [facts, [...others, changed]] : how === "remove" ? [facts, others] : [others, facts];
        const there = compare(demo(...left), production(...right), [], NOW).differences;
        const back = compare(demo(...right), production(...left), [], NOW).differences;
        expect(there.map(({ id }) => id)).toEqual([touched.id]);
        expect(back.map(({ id, a, b }) => [id, b, a])).toEqual(there.map(({ id, a, b }) => [id, a, b]));
      }),
    );
  });

  test("that only differ in what is good to know are alike", () => {
    const at = (value: string) => fact("db/setting/shared_buffers", value, { severity: "info" });
    const comparison = compare(demo(at("1")), production(at("2")), [], NOW);
    expect([comparison.differences.length, isAlike(comparison)]).toEqual([1, true]);
  });

  test("tell the worst first", () => {
    const side = (value: string) => [
      fact("db/setting/work_mem", value, { severity: "warn" }),
      fact("db/schema/table/t", value),
      fact("a/setting/x", value, { severity: "info" }),
    ];
    const { differences } = compare(demo(...side("1")), production(...side("2")), [], NOW);
    expect(differences.map(({ severity }) => severity)).toEqual(["block", "warn", "info"]);
  });

  test("may differ tenfold in size before it is worth a word, and small tables always", () => {
    const sized = (rows: number) =>
      fact("db/size/t", { rows: String(rows), bytes: "1" }, { rule: "scale", severity: "info" });
    const differs = (a: number, b: number) =>
      compare(demo(sized(a)), production(sized(b)), [], NOW).differences.length === 1;
    expect([differs(0, 9_999), differs(1_000, 10_000), differs(999, 10_000), differs(50_000, 400_000)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
});

describe("demo and production are one and the same", () => {
  const store = (more: Readonly<Record<string, string>> = {}) =>
    fact(
      "db/identity",
      { system: "7", startedAt: "2026-11-21T00:00:00Z", database: "5", ...more },
      { rule: "apart", group: "identity" },
    );
  const found = (a: EnvironmentFact, b: EnvironmentFact, acceptances: readonly PlacedAcceptance[] = []) =>
    compare(demo(a), production(b), acceptances, NOW).differences.map(({ why, severity }) => [severity, why]);

  test("when one server answers for both, whatever their addresses say", () => {
    expect(found(store(), store())).toEqual([["block", "both are the very same database"]]);
    expect(found(store(), store({ database: "6" }))).toEqual([["block", "both are on the very same server"]]);
    expect(found(store(), store({ startedAt: "2026-11-22T00:00:00Z", standby: "yes" }))).toEqual([
      ["block", "one is the standby of the other"],
    ]);
  });

  test("under another name too", () => {
    expect(found(store(), { ...store(), id: "orders/identity", component: "orders" })).toEqual([
      ["block", "both are the very same database"],
    ]);
  });

  test("and nobody can accept it", () => {
    expect(found(store(), store(), [accept("**")])).toHaveLength(1);
  });

  test("but not when one was restored from the other", () => {
    expect(found(store(), store({ startedAt: "2026-11-22T00:00:00Z" }))).toEqual([]);
  });

  test("when both would be reached at one address", () => {
    const balancer = fact("gateway/tokyo/balancer", "10.0.0.1:80", { rule: "apart", group: "identity" });
    expect(found(balancer, { ...balancer, id: "gateway/osaka/balancer" })).toEqual([
      ["block", "both are at one address"],
    ]);
  });

  test("also where only what one plan depends on is asked for", () => {
    const comparison = restricted(compare(demo(store()), production(store()), [], NOW), () => false);
    expect(comparison.differences).toHaveLength(1);
  });
});

describe("an accepted difference", () => {
  const [a, b] = [fact("db/setting/work_mem", "4 MB"), fact("db/setting/work_mem", "64 MB")];
  const judged = (...acceptances: readonly PlacedAcceptance[]) => compare(demo(a), production(b), acceptances, NOW);

  test("stands until its day is over, and is told", () => {
    expect(isAlike(judged(accept("db/setting/*")))).toBe(true);
    expect(judged(accept("db/setting/*")).accepted.map(({ by }) => by.because)).toEqual(["a smaller machine"]);
    const late = judged(accept("db/setting/*", { untilMs: NOW }));
    expect([isAlike(late), late.expired.length]).toEqual([false, 1]);
  });

  test("that nothing needs is named", () => {
    expect(judged(accept("db/setting/*"), accept("gateway/**")).unused.map(({ fact: pattern }) => pattern)).toEqual([
      "gateway/**",
    ]);
  });

  test("says nothing of a change of one environment", () => {
    const then = { ...production(a), takenAt: NOW - 1 };
    expect(isAlike(compare(production(b), then, [accept("**")], NOW))).toBe(false);
  });

  test.each([
    ["db/setting/*", "db/setting/work_mem", true],
    ["db/*", "db/setting/work_mem", false],
    ["db/**", "db/setting/work_mem", true],
    ["db/setting/work.mem", "db/setting/work_mem", false],
    ["db/schema/fn/f(*)", "db/schema/fn/f(a, b)", true],
    ["orders-db/setting/*", "orders-db/setting/work_mem", true],
    ["a\\^$.+?()[]{}|/-b", "a\\^$.+?()[]{}|/-b", true],
    ["*", "", true],
    ["work_mem", "db/setting/work_mem", false],
  ])("%s and %s: %s", (pattern, id, is) => {
    expect(matches(pattern, id)).toBe(is);
  });
});

describe("a snapshot", () => {
  const table = fact("db/reference/fees", "by tier", { group: "reference" });
  const row = (tier: string, fee: string) => fact(`db/reference/fees/${tier}`, { fee }, { group: "reference" });
  const then = { ...production(table, row("vip", "1"), row("all", "2")), takenAt: NOW - 1 };

  test("tells that a table of metadata changed without holding its rows", () => {
    expect(compare(production(table, row("all", "2"), row("vip", "1")), then, [], NOW).differences).toEqual([]);
    const { differences } = compare(production(table, row("all", "3"), row("vip", "1")), then, [], NOW);
    expect(differences.map(({ id }) => id)).toEqual(["db/reference/fees"]);
    expect(JSON.stringify(differences)).not.toContain('"fee"');
  });

  test("of the same environment may be at the same place; a server that was started again is worth a word", () => {
    const at = (startedAt: string, system = "7") =>
      fact("db/identity", { system, startedAt, database: "5" }, { rule: "apart", group: "identity" });
    const drift = (is: EnvironmentFact) =>
      compare(production(is), { ...production(at("x")), takenAt: NOW - 1 }, [], NOW).differences.map((one) => [
        one.severity,
        one.why,
      ]);
    expect(drift(at("x"))).toEqual([]);
    expect(drift(at("y"))).toEqual([["info", "the server was started again"]]);
    expect(drift(at("x", "8"))).toEqual([["warn", "it is another one than it was"]]);
  });
});

test("a reference table that is named and nowhere to be found is told", () => {
  const missing = fact("db/reference/bands", "not there", { group: "reference" });
  expect(compare(demo(missing), production(missing), [], NOW).notThere).toEqual(["db/reference/bands"]);
});
