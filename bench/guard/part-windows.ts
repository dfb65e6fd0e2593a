import { delaysOf, toldDelays, type Delays } from "./delays.ts";
import { luckFor, P0, RATES, type Part, type Size } from "./part.ts";
import { windowDelay, windowRunLengthDays, type WindowRule } from "./window-rule.ts";

export const WINDOW_RULES: readonly WindowRule[] = [10, 60].flatMap((intervalSec) =>
  [1, 4].map((failures) => ({ intervalSec, above: 0.01, failures })),
);

export const nameOfRule = ({ intervalSec, above, failures }: WindowRule): string =>
  `over ${above * 100} % in ${intervalSec} s, ${failures === 1 ? "once" : `${failures} times`}`;

/** What today's tools do, in the same world. */
export const windows = (size: Size): Part => {
  const rows = [50, 500].flatMap((perSec) =>
    WINDOW_RULES.map((rule) => ({
      rule,
      perSec,
      days: windowRunLengthDays(rule, { p0: P0, perSec }),
      delays: RATES.map((rate) => measure(rule, { rate, perSec, size })),
    })),
  );
  return {
    figures: [],
    tables: [
      {
        title:
          "Threshold on a window, as rollout tools do it: seconds from the first bad outcome, median / p95 (failed operations)",
        head: ["rate", "rule", "days between false alarms", ...RATES.map((rate) => `fails ${rate * 100} %`)],
        rows: rows.map(({ rule, perSec, days, delays }) => [
          `${perSec}/s`,
          nameOfRule(rule),
          days > 1e6 ? "> 1,000,000" : days.toFixed(1),
          ...delays.map(toldDelays),
        ]),
      },
    ],
    raw: rows,
  };
};

const measure = (
  rule: WindowRule,
  { rate, perSec, size }: { readonly rate: number; readonly perSec: number; readonly size: Size },
): Delays => {
  const luck = luckFor(size.seed, `window ${nameOfRule(rule)} ${perSec} ${rate}`);
  return delaysOf(
    Math.ceil(size.runs / 10),
    () => windowDelay(luck, rule, { p1: rate, perSec }) ?? { seconds: Infinity, failed: Infinity },
  );
};
