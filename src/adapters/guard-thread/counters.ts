import { classify, isFailure, isNoSample } from "../../guard/classify.ts";
import type { OutcomeClass } from "../../guard/rules.ts";
import { OKX_V5 } from "../../guard/rules-okx.ts";
import type { Operation } from "../../plan/model.ts";

/** One time series of the operations counter. */
export type Series = {
  readonly operation: Operation;
  readonly code: string;
  readonly cohort: string;
  readonly outcome: "ok" | "failed" | "none";
  /** Refused on its merits, by a limit or for its key; `lost`: because the order is not known. */
  readonly refusal: "none" | "refused" | "lost";
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

/** Differences between two readings; undefined when a counter went backwards: the process restarted, and this bin is missing. */
export const deltasBetween = (
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly Delta[] | undefined => {
  for (const [labels, value] of before) if ((after.get(labels) ?? 0) < value) return undefined;
  return [...after].flatMap(([labels, value]) => {
    const count = value - (before.get(labels) ?? 0);
    const series = count === 0 ? undefined : seriesOf(labels);
    return series === undefined ? [] : [{ ...series, count }];
  });
};

const known = new Map<string, Series | undefined>();
const MOST_KNOWN = 20_000;

/** Labels → series. Undefined: an operation that is not watched. */
export const seriesOf = (labels: string): Series | undefined => {
  const cached = known.get(labels);
  if (cached !== undefined || known.has(labels)) return cached;
  if (known.size > MOST_KNOWN) known.clear();
  const series = parsedSeries(labels);
  known.set(labels, series);
  return series;
};

const parsedSeries = (labels: string): Series | undefined => {
  const of = new Map(
    [...labels.matchAll(LABEL)].map(([, name = "", value = ""]) => [name, value.replaceAll(/\\(.)/g, "$1")] as const),
  );
  const operation = OPERATIONS.find((name) => name === of.get("operation"));
  if (operation === undefined) return undefined;
  const code = of.get("code");
  const seen = classify({
    http: Number(of.get("http") ?? "200"),
    ...(code === undefined || code === "" ? {} : { code }),
  });
  return {
    operation,
    code: code ?? "",
    cohort: of.get("cohort") ?? "everyone",
    outcome: isFailure(seen.outcome) ? "failed" : isNoSample(seen.outcome) ? "none" : "ok",
    refusal: refusalOf(seen.outcome, code ?? ""),
  };
};

const refusalOf = (outcome: OutcomeClass, code: string): Series["refusal"] => {
  if (outcome !== "business" && outcome !== "rate" && outcome !== "auth") return "none";
  return OKX_V5.lostState.includes(code) ? "lost" : "refused";
};

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const OPERATIONS: readonly Operation[] = ["order", "amend", "cancel"];
