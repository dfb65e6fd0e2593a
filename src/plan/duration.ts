import { read, wrong, type Quantity } from "./quantity.ts";

/** Units from large to small, in ms. */
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** Longest duration that is accepted: a year. */
const MOST_MS = 366 * 86_400_000;

const PART = /(\d+(?:\.\d+)?)([a-z]*)/iy;

/** The same grammar for editors; the parser below also wants units from large to small, each once. */
export const DURATION_PATTERN = String.raw`^(\d+(\.\d+)?(d|h|ms|m|s))+$`;

/** `1m30s`, `250ms`, `1.5s` → ms. Units from large to small, each at most once, nothing between them. */
export function parseDuration(text: string): Quantity {
  let at = 0;
  let largest = 0;
  let total = 0;
  if (text === "") return wrong(0, 1, "it is empty");
  while (at < text.length) {
    PART.lastIndex = at;
    const match = PART.exec(text);
    if (match === null) return wrong(at, 1, strange(text, at));
    const [whole, digits = "", unit = ""] = match;
    const unitAt = at + digits.length;
    if (unit === "")
      return unitAt < text.length
        ? wrong(unitAt, 1, strange(text, unitAt))
        : wrong(at, digits.length, "a unit is missing: d, h, m, s or ms");
    const index = UNITS.findIndex(([name]) => name === unit);
    if (index === -1) return wrong(unitAt, unit.length, unitHint(unit));
    if (index < largest) return wrong(at, whole.length, "units go from large to small, each once");
    if (digits.includes(".") && at + whole.length < text.length)
      return wrong(at, digits.length, "only the last number may have a fraction");
    total += Number(digits) * (UNITS[index]?.[1] ?? 0);
    if (total > MOST_MS) return wrong(0, text.length, "it is longer than a year");
    largest = index + 1;
    at += whole.length;
  }
  const ms = Math.round(total);
  // 1.1s is 1100.0000000000002 in floating point, and no fraction of a millisecond.
  return Math.abs(ms - total) > 1e-6 ? wrong(0, text.length, "it is finer than a millisecond") : read(ms);
}

const strange = (text: string, at: number): string => {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (character === "-" || character === "+") return "a duration has no sign";
  if (character.trim() === "") return "there must be no space in it";
  return `a number is expected here, not ${JSON.stringify(character)}`;
};

const unitHint = (unit: string): string => {
  const lower = unit.toLowerCase();
  const known = UNITS.find(([name]) => name === lower)?.[0] ?? LONG[lower];
  return known === undefined
    ? `${JSON.stringify(unit)} is no unit; the units are d, h, m, s and ms`
    : `write "${known}" and not ${JSON.stringify(unit)}`;
};

const LONG: Readonly<Record<string, string>> = {
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  hr: "h",
  hrs: "h",
  hour: "h",
  hours: "h",
  day: "d",
  days: "d",
  msec: "ms",
  millis: "ms",
  milliseconds: "ms",
};

/** ms → the shortest text that reads back as the same. */
export function durationText(ms: number): string {
  if (ms === 0) return "0s";
  let rest = ms;
  let text = "";
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${name}`;
  }
  return text;
}
