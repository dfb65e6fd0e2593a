import { read, wrong, type Quantity } from "./quantity.ts";

export const PER_SECOND_PATTERN = String.raw`^\d+(\.\d+)?/s$`;

/** `30/s` → per second, more than 0. */
export function parsePerSecond(text: string): Quantity {
  const digits = /^\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  if (digits === "") return wrong(0, 1, "it must begin with a digit");
  const rest = text.slice(digits.length);
  if (rest === "") return wrong(0, text.length, `"/s" is missing: write ${text}/s`);
  if (rest !== "/s") return wrong(digits.length, rest.length, `"/s" is expected here`);
  const value = Number(digits);
  if (value === 0) return wrong(0, digits.length, "it must be more than 0");
  return value > 10_000 ? wrong(0, digits.length, "it is more than 10000/s") : read(value);
}

const UNITS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  year: 31_536_000_000,
};
const HOUR_MS = 3_600_000;
const MOST_MS = 100 * 31_536_000_000;

export const EVENT_RATE_PATTERN = String.raw`^[1-9]\d* per ([1-9]\d* )?(minute|hour|day|week|year)s?$`;

/** `1 per 30 days` → mean time between two of them, in ms; from an hour to a century. */
export function parseEventRate(text: string): Quantity {
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(text.slice(at))?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const count = take(/^[1-9]\d*/);
  if (count === undefined) return wrong(at, 1, "it must begin with a whole number of at least 1");
  if (take(/^ per /) === undefined) return wrong(at, text.length - at, `" per " is expected here, as in 1 per 30 days`);
  const span = take(/^[1-9]\d* /)?.trim() ?? "1";
  const unit = take(/^[a-z]+/) ?? "";
  const size = UNITS[unit] ?? UNITS[unit.replace(/s$/, "")];
  if (size === undefined)
    return wrong(at - unit.length, unit.length, "minutes, hours, days, weeks or years are expected here");
  if (at < text.length) return wrong(at, text.length - at, "nothing may follow the unit");
  const everyMs = (Number(span) * size) / Number(count);
  if (everyMs < HOUR_MS) return wrong(0, text.length, "it is more often than once an hour, which is no promise");
  return everyMs > MOST_MS ? wrong(0, text.length, "it is rarer than once in a century") : read(everyMs);
}
