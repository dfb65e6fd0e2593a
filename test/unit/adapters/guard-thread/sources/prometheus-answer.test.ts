import { describe, expect, test } from "vitest";
import {
  MOST_SAMPLES,
  MOST_SERIES,
  readClock,
  readSamples,
} from "../../../../../src/adapters/guard-thread/sources/prometheus-answer.ts";

const success = (resultType: string, result: unknown, more: object = {}) => ({
  status: 200,
  text: JSON.stringify({ status: "success", data: { resultType, result }, ...more }),
});
const ORDERS = { __name__: "orders_total", instance: "10.0.0.1:9100", operation: "order" };
const matrix = (value: unknown, more: object = {}) =>
  success("matrix", [{ metric: ORDERS, values: [[1_700_000_000.25, value]] }], more);

describe("samples of a Prometheus server", () => {
  test("have the time at which they were scraped, to the millisecond", () => {
    expect(readSamples(matrix("12"))).toEqual([
      { key: JSON.stringify(ORDERS), labels: ORDERS, samples: [{ at: 1_700_000_000_250, value: 12 }] },
    ]);
  });

  test("may come with remarks that are no warnings", () =>
    expect(readSamples(matrix("12", { infos: ["metric might not be a counter"] }))).toHaveLength(1));

  test.each<{ name: string; answered: { status: number; text: string }; says: RegExp }>([
    { name: "NaN", answered: matrix("NaN"), says: /^says that orders_total of 10\.0\.0\.1:9100 is NaN$/ },
    { name: "infinity", answered: matrix("+Inf"), says: /is \+Inf$/ },
    { name: "a negative count", answered: matrix("-1"), says: /is -1$/ },
    { name: "a count that is no text", answered: matrix(12), says: /is 12$/ },
    { name: "an empty count", answered: matrix(null), says: /is null$/ },
    {
      name: "a page",
      answered: { status: 200, text: "<!doctype html>\n<html></html>" },
      says: /^answers with something else than JSON: "<!doctype html>/,
    },
    { name: "JSON of somebody else", answered: { status: 200, text: '{"code":"50001"}' }, says: /that no Prometheus/ },
    {
      name: "a refused query",
      answered: {
        status: 400,
        text: '{"status":"error","errorType":"bad_data","error":"invalid parameter \\"query\\": 1:8: parse error"}',
      },
      says: /^refuses the query: bad_data: invalid parameter "query"/,
    },
    {
      name: "an error with a status of success",
      answered: { status: 200, text: '{"status":"error","errorType":"execution"}' },
      says: /^refuses the query: execution: it does not say why$/,
    },
    { name: "a closed door", answered: { status: 401, text: "Unauthorized" }, says: /^answers HTTP 401$/ },
    { name: "a server in trouble", answered: { status: 503, text: "<html>" }, says: /^answers HTTP 503$/ },
    { name: "a success with a failing status", answered: { ...matrix("1"), status: 500 }, says: /^answers HTTP 500$/ },
    { name: "a redirect", answered: { status: 302, text: "" }, says: /^redirects \(HTTP 302\), and redirects are not/ },
    {
      name: "a warning",
      answered: matrix("12", { warnings: ["could not reach\none store"] }),
      says: /^warns that the answer may not be whole: could not reach one store$/,
    },
    {
      name: "an answer without times",
      answered: success("vector", []),
      says: /^gives a vector instead of raw samples/,
    },
    { name: "no data", answered: { status: 200, text: '{"status":"success"}' }, says: /^answers without data$/ },
    {
      name: "more series than are judged",
      answered: success(
        "matrix",
        Array.from({ length: MOST_SERIES + 1 }, () => ({ metric: {}, values: [[1, "1"]] })),
      ),
      says: /^gives 20001 series, more than the 20000 that are judged$/,
    },
    {
      name: "a series of histograms",
      answered: success("matrix", [{ metric: ORDERS }]),
      says: /^gives no plain samples/,
    },
    {
      name: "more samples than are judged",
      answered: success(
        "matrix",
        Array.from({ length: 4 }, () => ({
          metric: {},
          values: Array.from({ length: MOST_SAMPLES / 4 + 1 }, () => [1, "1"]),
        })),
      ),
      says: /^gives more than 300000 samples/,
    },
    { name: "rows that are no series", answered: success("matrix", [null]), says: /without labels/ },
    {
      name: "labels that are no texts",
      answered: success("matrix", [{ metric: { a: 1 }, values: [[1, "1"]] }]),
      says: /labels that are no texts/,
    },
    {
      name: "times that are no times",
      answered: success("matrix", [{ metric: ORDERS, values: [["soon", "1"]] }]),
      says: /is 1$/,
    },
  ])("$name are none, and the sentence says why", ({ answered, says }) => {
    expect(readSamples(answered)).toMatch(says);
  });
});

test("the clock of a server is read, and nothing else is taken for it", () => {
  expect(readClock(success("scalar", [1_700_000_000.123, "1700000000.123"]))).toBe(1_700_000_000_123);
  expect(readClock(success("vector", []))).toMatch(/does not tell the time/);
  expect(readClock({ status: 200, text: "" })).toMatch(/something else than JSON/);
});
