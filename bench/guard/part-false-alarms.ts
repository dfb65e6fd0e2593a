import { luckFor, MONTH_SEC, P0, type Part, type Size } from "./part.ts";
import { lookedRunLength } from "./looked-run-length.ts";
import { binRunLength, outcomeRunLength, type RunLength } from "./run-length.ts";

type Case = {
  /** `looked`: bins of counters, shorter after those that failed in earnest. */
  readonly form: "outcomes" | "bins" | "looked";
  readonly perSec: number;
  /** Width of a bin, or the rest after a failure. */
  readonly ms: number;
  readonly burst: number;
  /** The true failure rate over the stated one. */
  readonly times: number;
};

const asStated = (form: Case["form"], perSec: number, ms: number, burst: number): Case => ({
  form,
  perSec,
  ms,
  burst,
  times: 1,
});

const INDEPENDENT = [50, 500].map((perSec) => asStated("outcomes", perSec, 0, 1));
const BURSTS: readonly Case[] = [
  asStated("bins", 50, 200, 1),
  asStated("bins", 50, 200, 2),
  asStated("bins", 50, 100, 2),
  asStated("bins", 500, 100, 1),
  asStated("bins", 500, 100, 5),
  asStated("bins", 500, 100, 15),
  asStated("bins", 500, 50, 5),
];
const LOOKED: readonly Case[] = [1, 5, 15].map((burst) => asStated("looked", 500, 100, burst));
const RESTS: readonly Case[] = [
  asStated("outcomes", 50, 180, 2),
  asStated("outcomes", 50, 200, 2),
  asStated("outcomes", 500, 50, 5),
  asStated("outcomes", 500, 130, 5),
  asStated("outcomes", 500, 130, 15),
];
const WORSE: readonly Case[] = [1.2, 1.5, 2].flatMap((times) => [
  { form: "outcomes", perSec: 50, ms: 0, burst: 1, times } as const,
  { form: "outcomes", perSec: 500, ms: 0, burst: 1, times } as const,
  { form: "bins", perSec: 50, ms: 100, burst: 2, times } as const,
  { form: "bins", perSec: 500, ms: 50, burst: 5, times } as const,
  { form: "bins", perSec: 500, ms: 100, burst: 15, times } as const,
]);
/** What the rest is for: the plain per-outcome form in a world with bursts. */
const UNRESTED: readonly Case[] = [1.02, 1.5, 2].map((burst) => asStated("outcomes", 50, 0, burst));

/** How long a healthy stream goes without a false alarm when one in 30 days is promised. */
export const falseAlarms = (size: Size, say: (text: string) => void): Part => {
  const measured = (cases: readonly Case[]) =>
    cases.map((one) => {
      say(`false alarms: ${nameOf(one)}`);
      return { ...one, ...measure(one, size) };
    });
  const independent = measured(INDEPENDENT);
  const bursts = measured(BURSTS);
  const looked = measured(LOOKED);
  const rests = measured(RESTS);
  const worse = measured(WORSE);
  const unrested = measured(UNRESTED);
  const figure = (name: string, rows: readonly Row[]) => {
    const [worst] = rows.toSorted((a, b) => a.atLeastDays - b.atLeastDays);
    return {
      figure: name,
      measured: worst === undefined ? "-" : `shortest: ${days(worst)} (${nameOf(worst)})`,
      goal: "at least 30 days, with 95 % confidence",
      ok: rows.every(({ atLeastDays }) => atLeastDays >= 30),
    };
  };
  return {
    figures: [
      figure("mean time between false alarms, per outcome, independent failures", independent),
      figure("mean time between false alarms, bins with rest, bursts", bursts),
      figure("mean time between false alarms, bins of counters with closer looks, bursts", looked),
      figure("mean time between false alarms, outcomes with rest, bursts", rests),
    ],
    tables: [
      {
        title: "Days between false alarms, where one in 30 days is promised (0.1 % of operations fail in health)",
        head: ["stream", "days", "at least (95 %)", "alarms", "days simulated"],
        rows: [...independent, ...bursts, ...looked, ...rests].map(cells),
      },
      {
        title: "The same when more operations fail than stated",
        head: ["stream", "days", "at least (95 %)", "alarms", "days simulated"],
        rows: worse.map(cells),
      },
      {
        title: "The per-outcome form without rest, where failures come in bursts",
        head: ["stream", "days", "at least (95 %)", "alarms", "days simulated"],
        rows: unrested.map(cells),
      },
    ],
    raw: { independent, bursts, looked, rests, worse, unrested },
  };
};

type Row = Case & RunLength;

const measure = (one: Case, { effort, seed }: Size): RunLength => {
  const how = { p0: P0, trueP0: P0 * one.times, perSec: one.perSec, burst: one.burst, falseAlarmEverySec: MONTH_SEC };
  const luck = luckFor(seed, nameOf(one));
  switch (one.form) {
    case "bins":
      return binRunLength(luck, { ...how, binMs: one.ms }, effort);
    case "looked":
      return lookedRunLength(luck, how, effort);
    case "outcomes":
      return outcomeRunLength(luck, { ...how, restMs: one.ms }, effort);
  }
};

const nameOf = ({ form, perSec, ms, burst, times }: Case): string =>
  [
    `${perSec}/s`,
    nameOfForm(form, ms),
    burst === 1 ? "independent" : `bursts of ${burst}`,
    ...(times === 1 ? [] : [`${times} × the stated rate`]),
  ].join(", ");

const nameOfForm = (form: Case["form"], ms: number): string => {
  switch (form) {
    case "bins":
      return `bins of ${ms} ms with rest`;
    case "looked":
      return `bins of ${ms} ms with rest and closer looks`;
    case "outcomes":
      return ms === 0 ? "per outcome" : `outcomes, ${ms} ms rest`;
  }
};

const days = ({ meanDays, atLeastDays, alarms }: RunLength): string =>
  alarms === 0
    ? `none, so more than ${short(atLeastDays)} days`
    : `${short(meanDays)} days, at least ${short(atLeastDays)}`;

const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);

const cells = (row: Row): readonly string[] => [
  nameOf(row),
  row.alarms === 0 ? "none" : short(row.meanDays),
  short(row.atLeastDays),
  String(row.alarms),
  short(row.days),
];
