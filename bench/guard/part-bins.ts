import { binDelay } from "./bin-delay.ts";
import { delaysOf, told, toldDelays, type Delays } from "./delays.ts";
import { outcomeDelay } from "./outcome-delay.ts";
import { luckFor, MONTH_SEC, P0, RATES, worstOf, type Part, type Size } from "./part.ts";

/** What proves against bursts. `wanted`: medians that the reference gives, s, for failure rates of 1, 5, 30 and 100 %. */
const FORMS = [
  { perSec: 50, form: "bins", ms: 200, isEarly: true, wanted: [23.1, 3.5, 1.26, 0.82] },
  { perSec: 50, form: "bins", ms: 100, isEarly: false, wanted: [22.0, 2.9, 0.8, 0.5] },
  { perSec: 50, form: "bins", ms: 100, isEarly: true, wanted: [21.9, 2.84, 0.72, 0.42] },
  { perSec: 500, form: "bins", ms: 100, isEarly: false, wanted: [3.7, 1.1, 0.7, 0.5] },
  { perSec: 500, form: "bins", ms: 50, isEarly: false, wanted: [3.1, 0.65, 0.35, 0.25] },
  { perSec: 500, form: "bins", ms: 20, isEarly: false, wanted: [2.7, 0.4, 0.14, 0.1] },
  { perSec: 50, form: "outcomes", ms: 180, isEarly: false, wanted: undefined },
  { perSec: 50, form: "outcomes", ms: 200, isEarly: false, wanted: undefined },
  { perSec: 500, form: "outcomes", ms: 130, isEarly: false, wanted: undefined },
  { perSec: 500, form: "outcomes", ms: 50, isEarly: false, wanted: undefined },
] as const;

export const nameOfForm = ({
  form,
  ms,
  isEarly,
}: {
  readonly form: string;
  readonly ms: number;
  readonly isEarly: boolean;
}): string =>
  form === "bins" ? `bins of ${ms} ms with rest${isEarly ? ", early look" : ""}` : `outcomes, ${ms} ms rest`;

/** Forms that hold against bursts: what that costs. */
export const bins = ({ runs, seed }: Size): Part => {
  const rows = FORMS.map((form) => ({
    ...form,
    steady: RATES.map((rate) => measure(form, { rate, isAtStep: false, runs, seed })),
    atStep: RATES.map((rate) => measure(form, { rate, isAtStep: true, runs, seed })),
  }));
  const { worst, ok } = worstOf(
    rows.flatMap(
      ({ wanted, steady }) =>
        wanted?.map((median, index) => (steady[index]?.median ?? Infinity) / (median * 1.05)) ?? [],
    ),
  );
  return {
    figures: [
      {
        figure: "bins with rest, medians (six forms; 1, 5, 30, 100 %)",
        measured: `worst of 24 is ${worst.toFixed(3)} of it`,
        goal: "at most the reference's × 1.05",
        ok,
      },
    ],
    tables: [
      {
        title:
          "Proof against bursts: seconds from the first bad outcome, median / p95 (failed operations); the reference's median",
        head: ["rate", "form", ...RATES.map((rate) => `fails ${rate * 100} %`)],
        rows: rows.flatMap((row) => [
          [
            `${row.perSec}/s`,
            nameOfForm(row),
            ...row.steady.map((delays, index) => toldDelays(delays) + reference(row.wanted?.[index])),
          ],
          [`${row.perSec}/s`, `${nameOfForm(row)}; at the step`, ...row.atStep.map(toldDelays)],
        ]),
      },
    ],
    raw: rows,
  };
};

const reference = (median: number | undefined): string => (median === undefined ? "" : `; ${told(median)}`);

const measure = (
  { perSec, form, ms, isEarly }: (typeof FORMS)[number],
  {
    rate,
    isAtStep,
    runs,
    seed,
  }: { readonly rate: number; readonly isAtStep: boolean; readonly runs: number; readonly seed: number },
): Delays => {
  const luck = luckFor(seed, `${form} ${perSec} ${ms} ${isEarly} ${rate} ${isAtStep}`);
  const how = { p0: P0, p1: rate, perSec, falseAlarmEverySec: MONTH_SEC, isAtStep };
  return delaysOf(runs, () =>
    form === "bins" ? binDelay(luck, { ...how, binMs: ms, isEarly }) : outcomeDelay(luck, { ...how, restMs: ms }),
  );
};
