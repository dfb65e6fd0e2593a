import { describe, expect, test } from "vitest";
import { startCountBins } from "../../../../../src/adapters/guard-thread/sources/count-bins.ts";
import { cutLines } from "../../../../../src/adapters/guard-thread/sources/lines.ts";
import type { LiveSink } from "../../../../../src/adapters/guard-thread/sources/live-source.ts";
import { placing } from "../../../../../src/adapters/guard-thread/sources/placing.ts";
import { OKX_V5 } from "../../../../../src/guard/rules-okx.ts";
import { rulesOn } from "../../../../../src/guard/rules.ts";

const EXPECTED = { regions: ["tokyo"], operations: ["order", "amend"] } as const;
const NOW = 1_700_000_000_000;
const started = (onUnlisted: LiveSink["onUnlisted"] = () => undefined) =>
  startCountBins({ ...EXPECTED, rules: OKX_V5, onUnlisted }, () => placing([], EXPECTED.regions));
const count = (more: object = {}): string =>
  JSON.stringify({ operation: "amend", region: "tokyo", code: "0", count: 5, ...more });

describe("lines of a program", () => {
  test("become a bin with the second close, and what came before the first is of nobody knows when", () => {
    const bins = started();
    expect(bins.line(count({ count: 900 }), NOW)).toEqual({ kind: "gathering" });
    expect(bins.line("{}", NOW)).toEqual({ kind: "gathering" });
    bins.line(count(), NOW + 10);
    bins.line(count({ code: "50026", http: 500, count: 2 }), NOW + 10);
    expect(bins.line("{}", NOW + 1_000)).toEqual({
      kind: "bin",
      bin: {
        kind: "bin",
        at: NOW + 1_000,
        ms: 1_000,
        from: NOW - 1_000,
        counts: [
          {
            operation: "amend",
            region: "tokyo",
            release: "unknown",
            side: "unknown",
            cohort: "everyone",
            source: "live",
            issued: 7,
            failed: 2,
            asked: 7,
            refused: 0,
            lost: 0,
            codes: { "50026": 2 },
          },
        ],
      },
    });
  });

  test("that state their time are believed to the millisecond", () => {
    const bins = started();
    bins.line(`{"at": ${NOW}}`, NOW + 40);
    expect(bins.line(`{"at": ${NOW + 500}}`, NOW + 560)).toEqual({
      kind: "bin",
      bin: { kind: "bin", at: NOW + 500, ms: 500, counts: [] },
    });
  });

  test.each<{ name: string; more: object; failed: number; issued: number }>([
    { name: "no code and no status", more: { code: undefined }, failed: 0, issued: 5 },
    { name: "a status of success", more: { code: undefined, http: 201 }, failed: 0, issued: 5 },
    { name: "a status of a mistake of the user", more: { code: undefined, http: 422 }, failed: 0, issued: 5 },
    { name: "a status of failure", more: { code: undefined, http: 503 }, failed: 5, issued: 5 },
    { name: "a status of a limiter", more: { code: undefined, http: 429 }, failed: 0, issued: 0 },
    { name: "a business code", more: { code: "51008" }, failed: 0, issued: 5 },
    { name: "a code of failure", more: { code: "50001" }, failed: 5, issued: 5 },
  ])("with $name count as what they are", ({ more, failed, issued }) => {
    const bins = started();
    bins.line("{}", NOW);
    bins.line(count(more), NOW);
    const outcome = bins.line("{}", NOW + 100);
    expect(outcome.kind === "bin" ? outcome.bin.counts : outcome).toMatchObject([{ failed, issued }]);
  });

  test.each<{ name: string; line: string; says: RegExp }>([
    { name: "a log line", line: "Listening on :9100", says: /^line 2: it is no JSON object: "Listening on :9100"$/ },
    { name: "a blank line", line: "", says: /it is no JSON object/ },
    { name: "a list", line: "[]", says: /it is no JSON object/ },
    { name: "a key too many", line: count({ failures: 3 }), says: /failures/ },
    { name: "no region", line: count({ region: undefined }), says: /^line 2: region: / },
    { name: "a region that it does not tell of", line: count({ region: "osaka" }), says: /tokyo, and not of osaka$/ },
    { name: "an unknown operation", line: count({ operation: "place" }), says: /^line 2: .*not of place$/ },
    { name: "an operation that it does not tell of", line: count({ operation: "cancel" }), says: /not of cancel$/ },
    { name: "a negative count", line: count({ count: -1 }), says: /^line 2: count: / },
    { name: "half an operation", line: count({ count: 0.5 }), says: /^line 2: count: / },
    { name: "a count as text", line: count({ count: "5" }), says: /^line 2: count: / },
    { name: "a code as number", line: count({ code: 50026 }), says: /^line 2: code: / },
    { name: "a status that is none", line: count({ http: 0 }), says: /^line 2: http: / },
    { name: "a close that says more", line: '{"at": 1, "done": true}', says: /done/ },
    { name: "a time in the future", line: `{"at": ${NOW + 60_000}}`, says: /ahead of the clock/ },
    { name: "a time long ago", line: `{"at": ${NOW - 600_000}}`, says: /more than a minute ago/ },
    { name: "a time before the last one", line: `{"at": ${NOW - 5_000}}`, says: /before that of the line/ },
  ])("of which one holds $name make the whole bin missing, with the line's number", ({ line, says }) => {
    const bins = started();
    bins.line("{}", NOW);
    expect(bins.line(line, NOW + 10)).toMatchObject({ kind: "wrong", why: expect.stringMatching(says) as string });
    bins.line(count(), NOW + 20);
    expect(bins.line("{}", NOW + 1_000)).toEqual({ kind: "gathering" });
    expect(bins.line("{}", NOW + 2_000)).toMatchObject({ kind: "bin" });
  });

  test("that close a bin at once go on with it", () => {
    const bins = started();
    bins.line("{}", NOW);
    bins.line(count(), NOW);
    expect(bins.line("{}", NOW + 1)).toEqual({ kind: "gathering" });
    bins.line(count(), NOW + 60);
    expect(bins.line("{}", NOW + 100)).toMatchObject({ kind: "bin", bin: { counts: [{ issued: 10 }] } });
  });

  test("without end are no counts", () => {
    const bins = started();
    const outcomes = Array.from({ length: 1_001 }, () => bins.line("rubbish", NOW));
    expect(outcomes.at(-2)).toMatchObject({ kind: "wrong" });
    expect(outcomes.at(-1)).toMatchObject({ kind: "flooded" });
    const many = started();
    for (let sent = 0; sent < 20_000; sent++) many.line(count(), NOW);
    expect(many.line(count(), NOW)).toMatchObject({
      kind: "flooded",
      why: expect.stringContaining("more than 20000 counts") as string,
    });
  });
});

describe("cutting lines", () => {
  const cut = (most: number, ...chunks: readonly string[]): readonly (string | undefined)[] => {
    const lines: (string | undefined)[] = [];
    const take = cutLines(most, (line) => lines.push(line));
    for (const chunk of chunks) take(chunk);
    return lines;
  };

  test("does not depend on how they come", () => {
    expect(cut(10, "a\nb", "c", "\n\nd\n", "e")).toEqual(["a", "bc", "", "d"]);
  });

  test("throws away what is too long, in one piece or in many, and goes on behind it", () => {
    expect(cut(3, "abcd\nef\n")).toEqual([undefined, "ef"]);
    expect(cut(3, "ab", "cd", "efgh", "\nij\n")).toEqual([undefined, "ij"]);
    expect(cut(3, "abc\n")).toEqual(["abc"]);
  });
});

test("a code that no rule names is told with what it was taken for, and each one as often as it came", () => {
  const told: unknown[] = [];
  const bins = started((seen, times) => void told.push([seen.rules, seen.code, seen.outcome, times]));
  bins.line("{}", NOW);
  bins.line(count({ code: "59990" }), NOW + 10);
  bins.line(count({ code: "59990", http: 500, count: 2 }), NOW + 10);
  bins.line(count({ code: "0" }), NOW + 10);
  expect(told).toEqual([
    ["okx-v5", "59990", "business", 5],
    ["okx-v5", "59990", "service", 2],
  ]);
});

test("counts of an API with rules of its own are classed by them", () => {
  const rules = rulesOn(OKX_V5, "pay", {
    codes: { ok: ["00"], service: ["91"] },
    status: {},
    transport: {},
    answers: "json",
  });
  const expected = { regions: ["tokyo"], operations: ["pay"], rules, onUnlisted: () => undefined };
  const bins = startCountBins(expected, () => placing([], expected.regions));
  bins.line("{}", NOW);
  bins.line(count({ operation: "pay", code: "91", count: 3 }), NOW + 10);
  bins.line(count({ operation: "pay", code: "00", count: 4 }), NOW + 10);
  expect(bins.line("{}", NOW + 1_000)).toMatchObject({
    bin: { counts: [{ operation: "pay", issued: 7, failed: 3, codes: { "91": 3 } }] },
  });
});
