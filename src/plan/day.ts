import { read, wrong, type Quantity } from "./quantity.ts";

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
export const DAY_PATTERN = String.raw`^\d{4}-\d{2}-\d{2}$`;
const DAY_MS = 86_400_000;
const FIRST_YEAR = 2000;

/** `2027-03-01` → its end in UTC, ms since the epoch. */
export function parseDay(text: string): Quantity {
  const match = DAY.exec(text);
  if (match === null) return wrong(0, Math.max(1, text.length), "it is written year-month-day, such as 2027-03-01");
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  if (year < FIRST_YEAR) return wrong(0, 4, `it is before ${FIRST_YEAR}`);
  if (month < 1 || month > 12) return wrong(5, 2, "there is no such month");
  if (day < 1 || day > daysIn(year, month)) return wrong(8, 2, `${text.slice(0, 7)} has ${daysIn(year, month)} days`);
  return read((daysBefore(year, month) + day) * DAY_MS);
}

/** The day that ends then. */
export function dayText(endMs: number): string {
  const days = Math.ceil(endMs / DAY_MS);
  let year = 1970 + Math.floor(days / 366);
  while (daysBefore(year + 1, 1) < days) year += 1;
  let month = 1;
  while (month < 12 && daysBefore(year, month + 1) < days) month += 1;
  const day = days - daysBefore(year, month);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Days from the epoch to the first of a month. */
function daysBefore(year: number, month: number): number {
  const last = year - 1;
  const leaps = Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400) - LEAPS_TO_1969;
  const months = Array.from({ length: month - 1 }, (_, index) => daysIn(year, index + 1));
  return (year - 1970) * 365 + leaps + months.reduce((sum, days) => sum + days, 0);
}
const LEAPS_TO_1969 = 477;

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysIn = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
