import { describe, expect, test } from "vitest";
import { deltasBetween, readCounters, seriesBy } from "../../../../src/adapters/guard-thread/counters.ts";
import { OKX_V5 } from "../../../../src/guard/rules-okx.ts";
import { rulesOn } from "../../../../src/guard/rules.ts";
import { VENUE_OPERATIONS } from "../../../../src/plan/operations-of.ts";

const METRIC = "venue_operations_total";
const seriesOf = seriesBy({ rules: OKX_V5, operations: VENUE_OPERATIONS });
const labels = (operation: string, code: string, http: number, cohort = "shard-3"): string =>
  `operation="${operation}",code="${code}",http="${http}",cohort="${cohort}",protocol="rest"`;
const read = (text: string): ReadonlyMap<string, number> => {
  const reading = readCounters(text, METRIC);
  if (typeof reading === "string") throw new Error(reading);
  return reading;
};

describe("counters", () => {
  test("are read among other metrics, with and without a time stamp", () => {
    const text = `# HELP x y\n# TYPE ${METRIC} counter\n${METRIC}{${labels("order", "0", 200)}} 12\n${METRIC}{${labels("amend", "50026", 500)}} 3 1700000000000\nup 1\nother_seconds_bucket{le="+Inf"} 4\nodd NaN\n`;
    expect([...read(text).values()]).toEqual([12, 3]);
  });

  test("without an operation yet are empty, not unreadable", () =>
    expect(read(`# TYPE ${METRIC} counter\nup 1\n`).size).toBe(0));

  test.each([
    { name: "a page", text: "<!doctype html>\n<html></html>", says: /line 1 is no counter: "<!doctype html>"/ },
    { name: "JSON", text: '{"code":"50001"}', says: /line 1 is no counter/ },
    { name: "NaN", text: `${METRIC}{a="b"} NaN`, says: /is NaN/ },
    { name: "a negative value", text: `${METRIC}{a="b"} -1`, says: /is -1/ },
    { name: "infinity", text: `${METRIC}{a="b"} Infinity`, says: /is Infinity/ },
  ])("$name is unreadable, with what was found", ({ text, says }) => expect(readCounters(text, METRIC)).toMatch(says));

  test("differences have their class, and new series count from nothing", () => {
    const before = read(`${METRIC}{${labels("order", "0", 200)}} 10`);
    const after = read(
      `${METRIC}{${labels("order", "0", 200)}} 15\n${METRIC}{${labels("order", "50026", 500)}} 2\n${METRIC}{${labels("amend", "51008", 200)}} 1\n${METRIC}{${labels("cancel", "50011", 429)}} 4`,
    );
    expect(deltasBetween(before, after, seriesOf)).toEqual([
      { operation: "order", code: "0", cohort: "shard-3", outcome: "ok", count: 5, refusal: "none" },
      { operation: "order", code: "50026", cohort: "shard-3", outcome: "failed", count: 2, refusal: "none" },
      { operation: "amend", code: "51008", cohort: "shard-3", outcome: "ok", count: 1, refusal: "refused" },
      { operation: "cancel", code: "50011", cohort: "shard-3", outcome: "none", count: 4, refusal: "refused" },
    ]);
  });

  test.each(["51001", "51400", "51503", "51603"])("%s says that the venue does not know the order", (code) => {
    const after = read(`${METRIC}{${labels("cancel", code, 200)}} 1`);
    expect(deltasBetween(new Map(), after, seriesOf)).toMatchObject([{ code, outcome: "ok", refusal: "lost" }]);
  });

  test.each([
    { name: "a value that went back", after: `${METRIC}{${labels("order", "0", 200)}} 3` },
    { name: "a series that vanished", after: "up 1" },
  ])("$name is a restart: the bin is missing", ({ after }) =>
    expect(deltasBetween(read(`${METRIC}{${labels("order", "0", 200)}} 10`), read(after), seriesOf)).toBeUndefined(),
  );

  test("of operations that are not watched are left out; escaped labels are understood", () => {
    expect(seriesOf('operation="query",code="0"')).toBeUndefined();
    expect(seriesOf(String.raw`operation="order",code="0",cohort="a\"b"`)).toMatchObject({
      cohort: 'a"b',
      outcome: "ok",
    });
  });

  test("of two tables keep their own classes, and a code that no rule names is told with what it was taken for", () => {
    const rules = rulesOn(OKX_V5, "pay", {
      codes: { ok: ["0"], service: ["700-799"] },
      status: {},
      transport: {},
      lostState: ["404"],
      answers: "json",
    });
    const byPay = seriesBy({ rules, operations: ["pay", "refund"] });
    const text = 'operation="pay",code="750",http="200"';
    expect(byPay(text)).toMatchObject({ operation: "pay", outcome: "failed" });
    expect(seriesOf(text)).toBeUndefined();
    expect(byPay('operation="refund",code="404",http="200"')).toMatchObject({
      refusal: "lost",
      unlisted: { rules: "pay", code: "404", outcome: "business" },
    });
    expect(seriesOf('operation="order",code="750",http="200"')).toMatchObject({
      outcome: "ok",
      unlisted: { rules: "okx-v5", code: "750", outcome: "business" },
    });
    expect(seriesOf('operation="order",http="404"')).toMatchObject({
      unlisted: { code: "HTTP 404", outcome: "service" },
    });
  });
});
