import { binDelay } from "./bin-delay.ts";
import { exactBound } from "./bound.ts";
import { csvOf, svgOf, type Point } from "./curve.ts";
import { delaysOf, told, type Run } from "./delays.ts";
import type { Luck } from "./luck.ts";
import { outcomeDelay } from "./outcome-delay.ts";
import { luckFor, MONTH_SEC, P0, type Part, type Size } from "./part.ts";
import { signDelay } from "./sign-delay.ts";
import { windowDelay } from "./window-rule.ts";

const RATES = [0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1] as const;
const SHARES = [0.1, 0.5, 1] as const;
const PER_SEC = 500;

/** `share`: of the traffic that the new release has. */
type Rule = {
  readonly rule: string;
  readonly run: (luck: Luck, rate: number, share: number) => Run | undefined;
  readonly takes?: (share: number) => boolean;
};

const plain = (rate: number, share: number, isAtStep: boolean) => ({
  p0: P0,
  p1: rate,
  perSec: PER_SEC * share,
  falseAlarmEverySec: MONTH_SEC,
  isAtStep,
});

const RULES: readonly Rule[] = [
  { rule: "per outcome", run: (luck, rate, share) => outcomeDelay(luck, { ...plain(rate, share, false), restMs: 0 }) },
  {
    rule: "per outcome, at the step",
    run: (luck, rate, share) => outcomeDelay(luck, { ...plain(rate, share, true), restMs: 0 }),
  },
  {
    rule: "bins of 100 ms with rest",
    run: (luck, rate, share) => binDelay(luck, { ...plain(rate, share, false), binMs: 100, isEarly: false }),
  },
  {
    rule: "bins of 100 ms with rest, at the step",
    run: (luck, rate, share) => binDelay(luck, { ...plain(rate, share, true), binMs: 100, isEarly: false }),
  },
  {
    rule: "new against old, 100 ms, at the step",
    takes: (share) => share < 1,
    run: (luck, rate, share) =>
      signDelay(
        luck,
        {
          ...plain(rate, share, true),
          fresh: rate,
          old: P0,
          freshPerSec: PER_SEC * share,
          oldPerSec: PER_SEC * (1 - share),
          binMs: 100,
        },
        3_600,
      ),
  },
  {
    rule: "over 1 % in 10 s",
    run: (luck, rate, share) =>
      windowDelay(luck, { intervalSec: 10, above: 0.01, failures: 1 }, { p1: rate, perSec: PER_SEC * share }),
  },
  {
    rule: "over 1 % in 60 s, 4 times",
    run: (luck, rate, share) =>
      windowDelay(luck, { intervalSec: 60, above: 0.01, failures: 4 }, { p1: rate, perSec: PER_SEC * share }),
  },
];

/** The whole curve: no delay is quoted without its failure rate. */
export const curve = ({ runs, seed }: Size): Part => {
  const points = SHARES.flatMap((share) =>
    RATES.flatMap((rate) => [
      boundAt(rate, share),
      ...RULES.filter(({ takes }) => takes?.(share) ?? true).map((rule) => pointOf(rule, { rate, share, runs, seed })),
    ]),
  );
  return {
    figures: [],
    tables: SHARES.map((share) =>
      tableOf(
        points.filter((point) => point.share === share),
        share,
      ),
    ),
    raw: points,
    files: { "guard-delay.csv": csvOf(points), "guard-delay.svg": svgOf(points) },
  };
};

const boundAt = (rate: number, share: number): Point => {
  const perSec = PER_SEC * share;
  const seconds = exactBound(P0, rate, perSec * MONTH_SEC).samples / perSec;
  return { rule: BOUND, perSec: PER_SEC, share, rate, median: seconds, p95: NaN, failed: seconds * perSec * rate };
};
const BOUND = "exact bound (mean)";

const pointOf = (
  { rule, run }: Rule,
  {
    rate,
    share,
    runs,
    seed,
  }: { readonly rate: number; readonly share: number; readonly runs: number; readonly seed: number },
): Point => {
  const luck = luckFor(seed, `curve ${rule} ${rate} ${share}`);
  const { median, p95, failed } = delaysOf(
    Math.ceil(runs / 40),
    () => run(luck, rate, share) ?? { seconds: Infinity, failed: Infinity },
  );
  return { rule, perSec: PER_SEC, share, rate, median, p95, failed };
};

const tableOf = (points: readonly Point[], share: number) => ({
  title: `Median seconds until the alarm, ${PER_SEC}/s, of which the new release has ${share * 100} %`,
  head: ["rule", ...RATES.map((rate) => `${Number((rate * 100).toPrecision(3))} %`)],
  rows: [...Map.groupBy(points, ({ rule }) => rule)].map(([rule, some]) => [
    rule,
    ...some.map(({ median }) => told(median)),
  ]),
});
