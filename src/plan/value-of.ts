import { Bug } from "../errors/bug.ts";
import { parseDay } from "./day.ts";
import { parseDuration } from "./duration.ts";
import { parsePercent } from "./percent.ts";
import type { Quantity } from "./quantity.ts";
import { parseEventRate, parsePerSecond } from "./rate.ts";

/** Texts that the schema let through, as numbers. Anything else is a `Bug`. */
export const msOf = (text: string): number => valueOf(parseDuration(text), text);
export const percentOf = (text: string): number => valueOf(parsePercent(text), text);
export const perSecondOf = (text: string): number => valueOf(parsePerSecond(text), text);
/** The end of that day, ms since the epoch. */
export const endOfDayMs = (text: string): number => valueOf(parseDay(text), text);
export const everyMsOf = (text: string): number => valueOf(parseEventRate(text), text);

/** The same for a field that may be left out. */
export const msOr = (text: string | undefined, byDefault: number): number =>
  text === undefined ? byDefault : msOf(text);
export const percentOr = (text: string | undefined, byDefault: number): number =>
  text === undefined ? byDefault : percentOf(text);

function valueOf(quantity: Quantity, text: string): number {
  if (quantity.kind === "wrong") throw new Bug(`${JSON.stringify(text)} passed the schema, but ${quantity.why}`);
  return quantity.value;
}
