import { classify, isFailure, isNoSample } from "../../guard/classify.ts";
import type { OutcomeClass, Rules } from "../../guard/rules.ts";
import type { Operation } from "../../plan/model.ts";

/** One time series of the operations counter. */
export type Series = {
  readonly operation: Operation;
  readonly code: string;
  readonly cohort: string;
  readonly outcome: "ok" | "failed" | "none";
  /** Refused on its merits, by a limit or for its key; `lost`: because the order is not known. */
  readonly refusal: "none" | "refused" | "lost";
  /** What it was taken for, where no rule names its code. */
  readonly unlisted?: { readonly code: string; readonly outcome: OutcomeClass };
};

/** Cumulative values by label text, or why the text is no counters. */
export type Reading = ReadonlyMap<string, number> | string;

/** What was counted between two readings. */
export type Delta = Series & { readonly count: number };

/** Reads one counter from Prometheus text. A single line that is no exposition makes the whole text unreadable: it may be a page of something else. */
export const readCounters = (text: string, metric: string): Reading => {
  const values = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const match = LINE.exec(line);
    if (match === null) return `line ${index + 1} is no counter: ${JSON.stringify(line.slice(0, 40))}`;
    if (match[1] !== metric) continue;
    const value = Number(match[3]);
    if (!(value >= 0) || value === Infinity) return `${metric} is ${match[3]}`;
    values.set(match[2] ?? "", value);
  }
  return values;
};

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+([^\s]+)(?:\s+-?\d+)?\s*$/;

/** Labels → series. Undefined: an operation that is not watched. */
export type SeriesOf = (labels: string) => Series | undefined;

/** Differences between two readings; undefined when a counter went backwards: the process restarted, and this bin is missing. */
export const deltasBetween = (
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  seriesOf: SeriesOf,
): readonly Delta[] | undefined => {
  for (const [labels, value] of before) if ((after.get(labels) ?? 0) < value) return undefined;
  return [...after].flatMap(([labels, value]) => {
    const count = value - (before.get(labels) ?? 0);
    const series = count === 0 ? undefined : seriesOf(labels);
    return series === undefined ? [] : [{ ...series, count }];
  });
};

/** Reads labels by the rules of an API. What was read once is remembered: every round brings the same labels. */
export const seriesBy = (rules: Rules, operations: readonly Operation[]): SeriesOf => {
  const known = new Map<string, Series | undefined>();
  return (labels) => {
    const cached = known.get(labels);
    if (cached !== undefined || known.has(labels)) return cached;
    if (known.size > MOST_KNOWN) known.clear();
    const series = parsedSeries(labels, rules, operations);
    known.set(labels, series);
    return series;
  };
};

const MOST_KNOWN = 20_000;

const parsedSeries = (labels: string, rules: Rules, operations: readonly Operation[]): Series | undefined => {
  const of = new Map(
    [...labels.matchAll(LABEL)].map(([, name = "", value = ""]) => [name, value.replaceAll(/\\(.)/g, "$1")] as const),
  );
  const operation = operations.find((name) => name === of.get("operation"));
  if (operation === undefined) return undefined;
  const code = of.get("code") ?? "";
  const http = of.get("http") ?? "200";
  const seen = classify({ http: Number(http), ...(code === "" ? {} : { code }) }, rules);
  return {
    operation,
    code,
    cohort: of.get("cohort") ?? "everyone",
    outcome: isFailure(seen.outcome) ? "failed" : isNoSample(seen.outcome) ? "none" : "ok",
    refusal: refusalOf(seen.outcome, code, rules),
    ...(seen.isListed ? {} : { unlisted: { code: code === "" ? `HTTP ${http}` : code, outcome: seen.outcome } }),
  };
};

const refusalOf = (outcome: OutcomeClass, code: string, rules: Rules): Series["refusal"] => {
  if (outcome !== "business" && outcome !== "rate" && outcome !== "auth") return "none";
  return rules.lostState.includes(code) ? "lost" : "refused";
};

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
