import { exactBound } from "./bound.ts";
import { delaysOf, told, toldDelays, type Delays } from "./delays.ts";
import { outcomeDelay } from "./outcome-delay.ts";
import { luckFor, MONTH_SEC, P0, RATES, worstOf, type Part, type Size } from "./part.ts";

type Row = {
  readonly perSec: number;
  readonly rate: number;
  /** Exact lower bound of the mean delay, s. */
  readonly bound: number;
  readonly steady: Delays;
  readonly atStep: Delays;
};

/** Independent failures: the per-outcome form against the exact bound. */
export const outcomes = (size: Size): Part => {
  const rows = [50, 500].flatMap((perSec) => RATES.map((rate) => measure(perSec, rate, size)));
  const share = (of: (row: Row) => number, factor: number) =>
    worstOf(rows.map((row) => of(row) / (factor * row.bound + 1 / row.perSec)));
  const goals = [
    {
      figure: "per outcome, median",
      ...share(({ steady }) => steady.median, 1.2),
      goal: "at most 1.2 × the exact bound + 1 sample",
    },
    {
      figure: "per outcome, p95",
      ...share(({ steady }) => steady.p95, 2.4),
      goal: "at most 2.4 × the exact bound + 1 sample",
    },
    {
      figure: "per outcome, fault at the step, median",
      ...share(({ atStep }) => atStep.median, 0.6),
      goal: "at most 0.6 × the exact bound + 1 sample",
    },
  ];
  return {
    figures: goals.map(({ figure, worst, ok, goal }) => ({
      figure: `${figure} (50/s and 500/s; 1, 5, 30, 100 %)`,
      measured: `worst of 8 is ${worst.toFixed(3)} of it`,
      goal,
      ok,
    })),
    tables: [
      {
        title:
          "Per outcome, independent failures: seconds from the first bad outcome, median / p95 (failed operations)",
        head: ["rate", "fails", "exact bound (mean)", "per outcome", "fault at the step"],
        rows: rows.map(({ perSec, rate, bound, steady, atStep }) => [
          `${perSec}/s`,
          `${rate * 100} %`,
          told(bound),
          toldDelays(steady),
          toldDelays(atStep),
        ]),
      },
    ],
    raw: rows,
  };
};

const measure = (perSec: number, rate: number, { runs, seed }: Size): Row => {
  const delays = (isAtStep: boolean): Delays => {
    const luck = luckFor(seed, `outcomes ${perSec} ${rate} ${isAtStep}`);
    const how = { p0: P0, p1: rate, perSec, falseAlarmEverySec: MONTH_SEC, isAtStep, restMs: 0 };
    return delaysOf(runs, () => outcomeDelay(luck, how));
  };
  const bound = exactBound(P0, rate, perSec * MONTH_SEC).samples / perSec;
  return { perSec, rate, bound, steady: delays(false), atStep: delays(true) };
};
