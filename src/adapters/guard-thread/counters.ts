import { classify, isFailure, isNoSample } from "../../guard/classify.ts";
import { cohortOver } from "../../guard/protocol.ts";
import { classIn, type OutcomeClass, type Rules } from "../../guard/rules.ts";
import type { UnlistedCode } from "../../guard/unlisted.ts";
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
  readonly unlisted?: Pick<UnlistedCode, "rules" | "code" | "outcome">;
};

/** What codes say, and which operations are counted. */
export type CountedBy = { readonly rules: Rules; readonly operations: readonly Operation[] };

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
export const seriesBy = (by: CountedBy): SeriesOf => {
  const known = new Map<string, Series | undefined>();
  return (labels) => {
    const cached = known.get(labels);
    if (cached !== undefined || known.has(labels)) return cached;
    if (known.size > MOST_KNOWN) known.clear();
    const series = parsedSeries(labels, by);
    known.set(labels, series);
    return series;
  };
};

const MOST_KNOWN = 20_000;

const parsedSeries = (labels: string, by: CountedBy): Series | undefined => {
  const of = new Map(
    [...labels.matchAll(LABEL)].map(([, name = "", value = ""]) => [name, value.replaceAll(/\\(.)/g, "$1")] as const),
  );
  return seriesFrom(
    {
      operation: of.get("operation"),
      code: of.get("code"),
      http: of.get("http"),
      cohort: of.get("cohort"),
      protocol: of.get("protocol"),
    },
    by,
  );
};

/** What labels say of operations; absent ones are undefined or empty. */
export type SeriesLabels = Readonly<Record<"operation" | "code" | "http" | "cohort", string | undefined>> & {
  readonly protocol?: string | undefined;
};

/** Undefined: an operation that is not counted. */
export const seriesFrom = (labels: SeriesLabels, by: CountedBy): Series | undefined => {
  const [code, http] = [labels.code ?? "", httpOf(labels)];
  const { outcome, isListed } = classify({ http: Number(http), ...(code === "" ? {} : { code }) }, by.rules);
  const unlisted = { rules: by.rules.name, code: code === "" ? `HTTP ${http}` : code, outcome };
  return classed(labels, { code, outcome, ...(isListed ? {} : { unlisted }) }, by);
};

/** The same of who has no codes: the HTTP status decides alone. */
export const seriesByStatus = (labels: Omit<SeriesLabels, "code">, by: CountedBy): Series | undefined => {
  const http = httpOf(labels);
  const status = Number(http);
  if (status >= 200 && status < 300) return classed(labels, { code: "0", outcome: "ok" }, by);
  const isBusiness = status >= 400 && status < 500 && status !== 408;
  const outcome = classIn(by.rules.status, http) ?? (isBusiness ? "business" : "service");
  return classed(labels, { code: `HTTP ${http}`, outcome }, by);
};

const httpOf = ({ http }: Pick<SeriesLabels, "http">): string => (http === undefined || http === "" ? "200" : http);

type Seen = Pick<Series, "code" | "unlisted"> & { readonly outcome: OutcomeClass };

const classed = (labels: Omit<SeriesLabels, "code">, seen: Seen, by: CountedBy): Series | undefined => {
  const operation = by.operations.find((name) => name === labels.operation);
  if (operation === undefined) return undefined;
  const { code, outcome } = seen;
  return {
    ...seen,
    operation,
    cohort: cohortOver(labels.protocol === "ws" ? "WebSocket" : "REST", labels.cohort ?? "everyone"),
    outcome: isFailure(outcome) ? "failed" : isNoSample(outcome) ? "none" : "ok",
    refusal: refusalOf(outcome, code, by.rules),
  };
};

const refusalOf = (outcome: OutcomeClass, code: string, rules: Rules): Series["refusal"] => {
  if (outcome !== "business" && outcome !== "rate" && outcome !== "auth") return "none";
  return rules.lostState.includes(code) ? "lost" : "refused";
};

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
