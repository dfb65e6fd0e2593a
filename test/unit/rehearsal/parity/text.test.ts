import { expect, test } from "vitest";
import { compare, type Side } from "../../../../src/rehearsal/parity/compare.ts";
import { drillsOfParity } from "../../../../src/rehearsal/parity/drills-of-parity.ts";
import { comparisonText } from "../../../../src/rehearsal/parity/text.ts";
import { demo, fact, production } from "./facts.ts";

const NOW = Date.UTC(2026, 10, 21);
const plain = (a: Side, b: Side, isWhole = false): string =>
  comparisonText(compare(a, b, [], NOW), { isWhole, paint: (_, text) => text });

const row = (key: string, value: Readonly<Record<string, string>>) =>
  fact(`db/reference/instruments/${key}`, value, { group: "reference" });

test("a difference reads like a diff, and of a row only the columns that differ are shown", () => {
  const text = plain(
    demo(row("BTC-USDT", { tick_sz: "0.1", lot_sz: "1" }), row("OLD-USDT", { tick_sz: "1" })),
    production(row("BTC-USDT", { tick_sz: "0.5", lot_sz: "1", state: "live" })),
  );
  expect(text).toBe(`Must not be: what is proved in one says nothing of the other
  db, rows of instruments
    reference/instruments/BTC-USDT
      - demo        tick_sz: 0.1, state: nothing
      + production  tick_sz: 0.5, state: live
    reference/instruments/OLD-USDT
      - demo        tick_sz: 1
      + production  not there

demo and production differ: 2 that must not be.`);
});

test("what was stands before what is, whichever side is the snapshot", () => {
  const [now, then] = [production(fact("db/schema/t", "2")), { ...production(fact("db/schema/t", "1")), takenAt: NOW }];
  for (const text of [plain(now, then), plain(then, now)]) expect(text).toContain("- then  1\n      + now   2");
});

test("a thousand differences are counted, and shown when all are asked for", () => {
  const facts = (value: string) => Array.from({ length: 1_000 }, (_, index) => fact(`db/schema/t${index}`, value));
  const text = plain(demo(...facts("1")), production(...facts("2")));
  expect(text).toContain("… and 980 more; --all shows them");
  expect(text.split("\n").length).toBeLessThan(80);
  expect(plain(demo(...facts("1")), production(...facts("2")), true)).toContain("t999");
});

test("what is good to know is kept back, and its number told", () => {
  const at = (value: string) => fact("db/setting/shared_buffers", value, { group: "settings", severity: "info" });
  expect(plain(demo(at("1")), production(at("2")))).toBe(
    "demo and production differ: 1 good to know.\n--all shows what is only good to know",
  );
});

test("a value cannot write into the terminal, and a long one is cut", () => {
  const text = plain(
    demo(fact("db/schema/f", "\u001b[31mred\u202e")),
    production(fact("db/schema/f", "x".repeat(900))),
  );
  expect(text).not.toMatch(/\p{Cf}|(?!\n)\p{Cc}/u);
  expect(text).toContain(`${"x".repeat(160)}…`);
});

test("each difference that must not be fails a rehearsal, others are told with what passed", () => {
  const about = { isMeant: () => true, now: NOW, ms: 12 };
  const side = (value: string, severity: "block" | "warn") => fact("db/schema/t", value, { severity });
  const drills = (severity: "block" | "warn") =>
    drillsOfParity([demo(side("1", severity)), production(side("2", severity))], [], about);
  expect(drills("block")).toMatchObject([
    { outcome: "failed", step: "db", detail: "db/schema/t: demo 1, production 2" },
  ]);
  expect(drills("warn")).toMatchObject([{ outcome: "passed", ms: 12 }]);
  expect(drills("warn")[0]?.detail).toContain("db/schema/t: demo 1, production 2");
});

test("thirty differences that must not be fail twenty drills, and the last one tells of the rest", () => {
  const facts = (value: string) => Array.from({ length: 30 }, (_, index) => fact(`db/schema/t${index}`, value));
  const drills = drillsOfParity([demo(...facts("1")), production(...facts("2"))], [], {
    isMeant: () => true,
    now: NOW,
    ms: 0,
  });
  expect([drills.length, drills.at(-1)?.detail.includes("and 10 more")]).toEqual([20, true]);
});
