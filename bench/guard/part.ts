import type { Figure, Table } from "../bench.ts";
import { luckOf, type Luck } from "./luck.ts";

/** How much is simulated. */
export type Size = {
  readonly runs: number;
  /** Where false alarms are counted: until so many, or so many bursts of failures. */
  readonly effort: { readonly alarms: number; readonly bursts: number };
  readonly seed: number;
};

/** One group of figures. */
export type Part = {
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  readonly raw: unknown;
  readonly files?: Readonly<Record<string, string>>;
};

/** What all of it is about: one failure in a thousand operations in health, one false alarm in 30 days. */
export const P0 = 0.001;
export const MONTH_SEC = 30 * 86_400;
export const RATES = [0.01, 0.05, 0.3, 1] as const;

/** Each row has luck of its own, so that a row stays the same when others change. */
export const luckFor = (seed: number, row: string): Luck =>
  luckOf(
    row.split("").reduce((mixed, sign) => Math.imul(mixed ^ sign.charCodeAt(0), 0x01000193) >>> 0, seed ^ 0x811c9dc5),
  );

/** The largest of these ratios, and whether none is above 1: how a row of goals is told in one figure. */
export const worstOf = (ratios: readonly number[]): { readonly worst: number; readonly ok: boolean } => {
  const worst = Math.max(...ratios);
  return { worst, ok: worst <= 1 };
};
