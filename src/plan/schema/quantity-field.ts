import * as z from "zod";
import { DAY_PATTERN, dayText, parseDay } from "../day.ts";
import { DURATION_PATTERN, durationText, parseDuration } from "../duration.ts";
import { parsePercent, PERCENT_PATTERN } from "../percent.ts";
import type { Quantity } from "../quantity.ts";
import { EVENT_RATE_PATTERN, parseEventRate, parsePerSecond, PER_SECOND_PATTERN } from "../rate.ts";
import { EXPECTED, type Detail } from "./expected.ts";

type Limits = { readonly min?: number; readonly max?: number };
type Kind = {
  readonly what: string;
  readonly pattern: string;
  readonly example: string;
  readonly parse: (text: string) => Quantity;
  readonly show: (value: number) => string;
};

const DURATION: Kind = {
  what: "a duration",
  pattern: DURATION_PATTERN,
  example: "1m30s",
  parse: parseDuration,
  show: durationText,
};
const PERCENT: Kind = {
  what: "a share",
  pattern: PERCENT_PATTERN,
  example: "5%",
  parse: parsePercent,
  show: (value) => `${value}%`,
};
const PER_SECOND: Kind = {
  what: "a rate",
  pattern: PER_SECOND_PATTERN,
  example: "30/s",
  parse: parsePerSecond,
  show: (value) => `${value}/s`,
};
const EVENT_RATE: Kind = {
  what: "how often",
  pattern: EVENT_RATE_PATTERN,
  example: "1 per 30 days",
  parse: parseEventRate,
  show: durationText,
};

const DAY: Kind = {
  what: "a day",
  pattern: DAY_PATTERN,
  example: "2027-03-01",
  parse: parseDay,
  show: dayText,
};

/** Durations in ms; `0s` only where the limits allow it. */
export const duration = (limits: Limits = {}) => field(DURATION, { min: 1, ...limits });
/** For one thing that is waited for, such as a program: who has not ended in a week will not. A timer of Node.js knows 24.8 days. */
export const timeLimit = (limits: Pick<Limits, "min"> = {}) => duration({ max: 7 * 86_400_000, ...limits });
export const percent = (limits: Limits = {}) => field(PERCENT, limits);
export const perSecond = (limits: Limits = {}) => field(PER_SECOND, limits);
export const eventRate = () => field(EVENT_RATE, {});
export const day = () => field(DAY, {});

/** A text that stays a text here, so that the JSON Schema says what is written; `value-of.ts` turns it into a number. */
function field(kind: Kind, limits: Limits) {
  const schema = z.string().check((context) => {
    const detail = judge(kind, limits, context.value);
    if (detail !== undefined)
      context.issues.push({ code: "custom", input: context.value, params: detail, continue: true });
  });
  return schema
    .meta({ pattern: kind.pattern, examples: [kind.example] })
    .register(EXPECTED, { text: `${kind.what} such as ${kind.example}` });
}

function judge(kind: Kind, limits: Limits, text: string): Detail | undefined {
  const quantity = kind.parse(text);
  if (quantity.kind === "wrong") return { why: quantity.why, at: quantity.at, length: quantity.length };
  if (limits.min !== undefined && quantity.value < limits.min)
    return { why: `it is less than ${kind.show(limits.min)}`, at: 0, length: text.length };
  if (limits.max !== undefined && quantity.value > limits.max)
    return { why: `it is more than ${kind.show(limits.max)}`, at: 0, length: text.length };
  return undefined;
}
