import { classify, isFailure, isNoSample } from "../../guard/classify.ts";
import type { OutcomeClass } from "../../guard/rules.ts";
import { cohortOver } from "../../guard/protocol.ts";
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
  return seriesFrom({
    operation: of.get("operation"),
    code: of.get("code"),
    http: of.get("http"),
    cohort: of.get("cohort"),
    protocol: of.get("protocol"),
  });
};

/** What labels say of operations; absent ones are undefined or empty. */
export type SeriesLabels = Readonly<Record<"operation" | "code" | "http" | "cohort", string | undefined>> & {
  readonly protocol?: string | undefined;
};

/** Undefined: an operation that is not watched. */
export const seriesFrom = (labels: SeriesLabels): Series | undefined => {
  const operation = OPERATIONS.find((name) => name === labels.operation);
  if (operation === undefined) return undefined;
  const code = labels.code ?? "";
  const http = labels.http === undefined || labels.http === "" ? 200 : Number(labels.http);
  const seen = classify({ http, ...(code === "" ? {} : { code }) });
  return {
    operation,
    code,
    cohort: cohortOver(labels.protocol === "ws" ? "WebSocket" : "REST", labels.cohort ?? "everyone"),
    outcome: isFailure(seen.outcome) ? "failed" : isNoSample(seen.outcome) ? "none" : "ok",
    refusal: refusalOf(seen.outcome, code),
  };
};

/** The same of who has no codes: the HTTP status decides alone. */
export const seriesByStatus = (labels: Omit<SeriesLabels, "code">): Series | undefined => {
  const http = labels.http === undefined || labels.http === "" ? "200" : labels.http;
  const status = Number(http);
  const isSuccess = status >= 200 && status < 300;
  const isBusiness = status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);
  const series = seriesFrom({ ...labels, http, code: isSuccess ? "0" : isBusiness ? http : undefined });
  return series === undefined || isSuccess ? series : { ...series, code: `HTTP ${http}` };
};

const refusalOf = (outcome: OutcomeClass, code: string): Series["refusal"] => {
  if (outcome !== "business" && outcome !== "rate" && outcome !== "auth") return "none";
  return OKX_V5.lostState.includes(code) ? "lost" : "refused";
};

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const OPERATIONS: readonly Operation[] = ["order", "amend", "cancel"];
