import { read, wrong, type Quantity } from "./quantity.ts";

export const PERCENT_PATTERN = String.raw`^\d+(\.\d+)?%$`;

/** `0.1%`, `100%` → per cent, 0 to 100. */
export function parsePercent(text: string): Quantity {
  const digits = /^\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  if (digits === "") return wrong(0, 1, text.startsWith("-") ? "a share has no sign" : "it must begin with a digit");
  if (digits.length === text.length) return wrong(0, text.length, `a "%" is missing: write ${text}%`);
  if (text.charAt(digits.length) !== "%") return wrong(digits.length, 1, `"%" is expected here`);
  if (text.length > digits.length + 1)
    return wrong(digits.length + 1, text.length - digits.length - 1, `nothing may follow the "%"`);
  const value = Number(digits);
  return value > 100 ? wrong(0, digits.length, "it is more than 100%") : read(value);
}
