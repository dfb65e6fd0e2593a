import fc from "fast-check";
import { expect, test } from "vitest";
import { dayText, parseDay } from "../../../src/plan/day.ts";
import { durationText, parseDuration } from "../../../src/plan/duration.ts";
import { parsePercent } from "../../../src/plan/percent.ts";
import type { Quantity } from "../../../src/plan/quantity.ts";
import { parseEventRate, parsePerSecond } from "../../../src/plan/rate.ts";

const DAY = 86_400_000;

test.each([
  ["250ms", 250],
  ["20s", 20_000],
  ["1m30s", 90_000],
  ["2h", 7_200_000],
  ["1d12h", 1.5 * DAY],
  ["1.5s", 1_500],
  ["1.1s", 1_100],
  ["1m0.5s", 60_500],
  ["0s", 0],
  ["007s", 7_000],
])("the duration %s is %d ms", (text, ms) => {
  expect(parseDuration(text)).toEqual({ kind: "read", value: ms });
});

test.each([
  { text: "", at: 0, why: "empty" },
  { text: "20", at: 0, why: "unit is missing" },
  { text: "20x", at: 2, why: '"x" is no unit' },
  { text: "20S", at: 2, why: 'write "s"' },
  { text: "3sec", at: 1, why: 'write "s"' },
  { text: "5minutes", at: 1, why: 'write "m"' },
  { text: "1m 30s", at: 2, why: "no space" },
  { text: " 20s", at: 0, why: "no space" },
  { text: "20s ", at: 3, why: "no space" },
  { text: "-5s", at: 0, why: "no sign" },
  { text: "30s1m", at: 3, why: "large to small" },
  { text: "1s1s", at: 2, why: "large to small" },
  { text: "1.5m30s", at: 0, why: "only the last" },
  { text: "1.s", at: 1, why: "number is expected" },
  { text: ".5s", at: 0, why: "number is expected" },
  { text: "1e3s", at: 1, why: '"e" is no unit' },
  { text: "0.1ms", at: 0, why: "finer" },
  { text: "1s;rm", at: 2, why: "number is expected" },
  { text: "400d", at: 0, why: "longer than a year" },
  { text: "9".repeat(400) + "d", at: 0, why: "longer than a year" },
  { text: "５s", at: 0, why: "number is expected" },
  { text: "P1D", at: 0, why: "number is expected" },
])("$text is no duration, and the caret stands on the character that makes it none", ({ text, at, why }) => {
  expect(parseDuration(text)).toMatchObject({ kind: "wrong", at, why: expect.stringContaining(why) as string });
});

test("every day is read as its end, as the calendar has it, and printed as it was written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 10_957, max: 100_000 }), (days) => {
      const text = new Date(days * DAY).toISOString().slice(0, 10);
      expect(parseDay(text)).toEqual({ kind: "read", value: (days + 1) * DAY });
      expect(dayText((days + 1) * DAY)).toBe(text);
    }),
  );
});

test.each([
  "",
  "2027",
  "2027-1-1",
  "2027-13-01",
  "2027-00-10",
  "2027-02-29",
  "2028-02-30",
  "1999-12-31",
  "2027-01-01T00:00Z",
])("%s is no day", (text) => {
  expect(parseDay(text).kind).toBe("wrong");
});

test("a duration that is printed reads back as the same", () => {
  fc.assert(
    fc.property(fc.nat({ max: 366 * DAY }), (ms) => {
      expect(parseDuration(durationText(ms))).toEqual({ kind: "read", value: ms });
    }),
  );
});

test.each([
  [parsePercent, "5%", 5],
  [parsePercent, "0.1%", 0.1],
  [parsePercent, "100%", 100],
  [parsePerSecond, "30/s", 30],
  [parsePerSecond, "0.5/s", 0.5],
  [parseEventRate, "1 per 30 days", 30 * DAY],
  [parseEventRate, "2 per day", DAY / 2],
  [parseEventRate, "1 per week", 7 * DAY],
  [parseEventRate, "1 per 1 hour", 3_600_000],
])("%o reads %s as %d", (parse: (text: string) => Quantity, text, value) => {
  expect(parse(text)).toEqual({ kind: "read", value });
});

test.each([
  { parse: parsePercent, text: "5", at: 0, why: "write 5%" },
  { parse: parsePercent, text: "5 %", at: 1, why: '"%" is expected' },
  { parse: parsePercent, text: "5%%", at: 2, why: "nothing may follow" },
  { parse: parsePercent, text: "-5%", at: 0, why: "no sign" },
  { parse: parsePercent, text: "101%", at: 0, why: "more than 100%" },
  { parse: parsePercent, text: "five", at: 0, why: "begin with a digit" },
  { parse: parsePerSecond, text: "30", at: 0, why: "write 30/s" },
  { parse: parsePerSecond, text: "30/m", at: 2, why: '"/s" is expected' },
  { parse: parsePerSecond, text: "0/s", at: 0, why: "more than 0" },
  { parse: parseEventRate, text: "once per day", at: 0, why: "whole number" },
  { parse: parseEventRate, text: "1 in 30 days", at: 1, why: '" per "' },
  { parse: parseEventRate, text: "1 per 30 dais", at: 9, why: "days" },
  { parse: parseEventRate, text: "1 per 30 days!", at: 13, why: "nothing may follow" },
  { parse: parseEventRate, text: "0 per day", at: 0, why: "at least 1" },
  { parse: parseEventRate, text: "100 per minute", at: 0, why: "more often than once an hour" },
  { parse: parseEventRate, text: "1 per 900 years", at: 0, why: "century" },
])("$text is refused at its wrong character", ({ parse, text, at, why }) => {
  expect(parse(text)).toMatchObject({ kind: "wrong", at, why: expect.stringContaining(why) as string });
});

test("whatever the text, a quantity is finite and not negative, or the wrong part lies inside the text", () => {
  const parsers = fc.constantFrom(parseDuration, parsePercent, parsePerSecond, parseEventRate);
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,6}[dhms%/ per]{0,8}[0-9a-z%]{0,6}$/));
  fc.assert(
    fc.property(parsers, texts, (parse, text) => {
      const quantity = parse(text);
      const isSound =
        quantity.kind === "read"
          ? Number.isFinite(quantity.value) && quantity.value >= 0
          : quantity.at >= 0 && quantity.at <= text.length && quantity.length >= 1;
      expect(isSound).toBe(true);
    }),
  );
});
