import * as z from "zod";
import { brief } from "./brief.ts";

/** One raw sample. `at`: when it was scraped, by the clock of the server, ms. */
export type Sample = { readonly at: number; readonly value: number };

export type Labels = Readonly<Record<string, string>>;

/** The samples of one series, oldest first. `key` is the same for the same labels. */
export type SampledSeries = {
  readonly key: string;
  readonly labels: Labels;
  readonly samples: readonly Sample[];
};

/** What came back for a query. */
export type Answered = { readonly status: number; readonly text: string };

/** More series than this are not judged: whoever asks for them has forgotten a matcher, and this thread has no time for them. */
export const MOST_SERIES = 20_000;
export const MOST_SAMPLES = 300_000;

/** What the server's clock said when it answered, ms; or why it cannot be told. */
export const readClock = (answered: Answered): number | string => {
  const data = readData(answered);
  if (typeof data === "string") return data;
  const seconds = data.resultType === "scalar" && Array.isArray(data.result) ? Number(data.result[0]) : NaN;
  return Number.isFinite(seconds) ? Math.round(seconds * 1000) : "does not tell the time";
};

/** The raw samples of cumulative counters; or why there are none. One sample that is no count makes all of them unreadable. */
export const readSamples = (answered: Answered): readonly SampledSeries[] | string => {
  const data = readData(answered);
  if (typeof data === "string") return data;
  if (data.resultType !== "matrix" || !Array.isArray(data.result))
    return `gives a ${brief(data.resultType)} instead of raw samples: the query has to end in a range`;
  if (data.result.length > MOST_SERIES)
    return `gives ${data.result.length} series, more than the ${MOST_SERIES} that are judged`;
  const series: SampledSeries[] = [];
  let samples = 0;
  for (const row of data.result as readonly unknown[]) {
    const read = readRow(row);
    if (typeof read === "string") return read;
    series.push(read);
    samples += read.samples.length;
    if (samples > MOST_SAMPLES)
      return `gives more than ${MOST_SAMPLES} samples: select fewer series, or a shorter range`;
  }
  return series;
};

const envelope = z.looseObject({
  status: z.string(),
  errorType: z.string().optional(),
  error: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  data: z.looseObject({ resultType: z.string(), result: z.unknown().optional() }).optional(),
});

type Data = { readonly resultType: string; readonly result?: unknown };

const readData = ({ status, text }: Answered): Data | string => {
  if (status >= 300 && status < 400) return `redirects (HTTP ${status}), and redirects are not followed`;
  const given = parsed(text);
  const { success, data: answer } = envelope.safeParse(given);
  if (!success) {
    if (status < 200 || status >= 300) return `answers HTTP ${status}`;
    return given === undefined
      ? `answers with something else than JSON: ${JSON.stringify(brief(text.slice(0, 40)))}`
      : "answers with JSON that no Prometheus sends";
  }
  if (answer.status !== "success")
    return `refuses the query: ${brief(`${answer.errorType ?? answer.status}: ${answer.error ?? "it does not say why"}`)}`;
  if (status < 200 || status >= 300) return `answers HTTP ${status}`;
  const [warning] = answer.warnings ?? [];
  if (warning !== undefined) return `warns that the answer may not be whole: ${brief(warning)}`;
  return answer.data ?? "answers without data";
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

// Read by hand: there may be hundreds of thousands of samples, and judging waits for them.
const readRow = (row: unknown): SampledSeries | string => {
  const { metric, values } = (row ?? {}) as { readonly metric?: unknown; readonly values?: unknown };
  if (typeof metric !== "object" || metric === null) return "gives a series without labels";
  if (Object.values(metric).some((value: unknown) => typeof value !== "string"))
    return "gives labels that are no texts";
  const labels = metric as Readonly<Record<string, string>>;
  if (!Array.isArray(values) || values.length === 0) return `gives no plain samples for ${nameOf(labels)}`;
  const samples: Sample[] = [];
  for (const pair of values as readonly unknown[]) {
    const [seconds, text] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    const sample = { at: Math.round(Number(seconds) * 1000), value: typeof text === "string" ? Number(text) : NaN };
    if (!Number.isFinite(sample.at) || !(sample.value >= 0) || sample.value === Infinity)
      return `says that ${nameOf(labels)} is ${brief(String(text))}`;
    samples.push(sample);
  }
  return { key: JSON.stringify(labels), labels, samples };
};

const nameOf = (labels: Readonly<Record<string, string>>): string => {
  const { __name__: name = "the counter", instance } = labels;
  return brief(instance === undefined ? name : `${name} of ${instance}`);
};
