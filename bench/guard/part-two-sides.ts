import { binDelay } from "./bin-delay.ts";
import { delaysOf, told, toldDelays, type Delays } from "./delays.ts";
import { luckFor, MONTH_SEC, P0, RATES, type Part, type Size } from "./part.ts";
import { signDelay, type PairCase } from "./sign-delay.ts";

const DEADLINE_SEC = 0.25;

/** 500 operations a second, of which the new release has a part. Its arms are thinned to equal size. */
const SPLITS = [
  { binMs: 12, share: 0.5 },
  { binMs: 20, share: 0.5 },
  { binMs: 50, share: 0.5 },
  { binMs: 100, share: 0.5 },
  { binMs: 100, share: 0.1 },
] as const;

/** The new release against the old one, and both in the same storm. */
export const twoSides = (size: Size): Part => {
  const signs = SPLITS.flatMap((split) =>
    [false, true].map((isAtStep) => ({
      ...split,
      isAtStep,
      delays: RATES.map((rate) => measureSigns(split, { rate, isAtStep, size })),
    })),
  );
  const withdrawn = delaysOf(size.runs, () => binDelay(luckFor(size.seed, "withdrawn"), CANARY));
  const undone = signs.find(({ binMs, isAtStep }) => binMs === 20 && isAtStep)?.delays.at(-1);
  const undoneWired = signs
    .find(({ binMs, share, isAtStep }) => binMs === 100 && share === 0.5 && isAtStep)
    ?.delays.at(-1);
  const blips = [20, 100].flatMap((binMs) => [false, true].map((isAtStep) => blip(binMs, isAtStep, size)));
  const worst = Math.max(...blips.map(({ share }) => share));
  return {
    figures: [
      {
        figure:
          "total failure of the new release, 500/s, half the traffic: withdrawn (bins of 50 ms, at the step, 250 ms deadline)",
        measured: `${told(withdrawn.median + DEADLINE_SEC)} s`,
        goal: "under 0.5 s",
        ok: withdrawn.median + DEADLINE_SEC < 0.5,
      },
      {
        figure: "the same: undo decided (bins of 20 ms, at the step, 250 ms deadline)",
        measured: `${told((undone?.median ?? NaN) + DEADLINE_SEC)} s; signs in bins of 100 ms alone ${told((undoneWired?.median ?? NaN) + DEADLINE_SEC)} s`,
        goal: "under 1 s",
        ok: (undone?.median ?? Infinity) + DEADLINE_SEC < 1,
      },
      {
        figure: "both releases at 5 % for 60 s: undone by mistake",
        measured: `${(worst * 100).toFixed(3)} % of runs at worst`,
        goal: "at most 0.2 %",
        ok: worst <= 0.002,
      },
    ],
    tables: [
      {
        title:
          "New against old, paired signs with rest, 500/s: seconds from the first bad outcome, median / p95 (failed operations)",
        head: ["new has", "form", ...RATES.map((rate) => `fails ${rate * 100} %`)],
        rows: signs.map(({ share, binMs, isAtStep, delays }) => [
          `${share * 100} %`,
          `bins of ${binMs} ms${isAtStep ? "; at the step" : ""}`,
          ...delays.map(toldDelays),
        ]),
      },
      {
        title: "Both releases at 5 % for 60 s, 500/s, half the traffic each",
        head: ["form", "undone by mistake", "runs"],
        rows: blips.map(({ binMs, isAtStep, alarms, runs }) => [
          `bins of ${binMs} ms${isAtStep ? "; right after the step" : ""}`,
          `${((alarms / runs) * 100).toFixed(3)} % (${alarms})`,
          String(runs),
        ]),
      },
    ],
    raw: { signs, withdrawn, blips },
  };
};

const CANARY = {
  p0: P0,
  p1: 1,
  perSec: 250,
  falseAlarmEverySec: MONTH_SEC,
  isAtStep: true,
  binMs: 50,
  isEarly: false,
} as const;

const sides = (share: number) => ({ freshPerSec: 500 * share, oldPerSec: 500 * (1 - share) });

const measureSigns = (
  { binMs, share }: (typeof SPLITS)[number],
  { rate, isAtStep, size }: { readonly rate: number; readonly isAtStep: boolean; readonly size: Size },
): Delays => {
  const luck = luckFor(size.seed, `signs ${binMs} ${share} ${rate} ${isAtStep}`);
  const how: PairCase = {
    p0: P0,
    fresh: rate,
    old: P0,
    ...sides(share),
    falseAlarmEverySec: MONTH_SEC,
    binMs,
    isAtStep,
  };
  return delaysOf(Math.ceil(size.runs / 5), () => signDelay(luck, how) ?? { seconds: Infinity, failed: Infinity });
};

const blip = (binMs: number, isAtStep: boolean, { runs, seed }: Size) => {
  const luck = luckFor(seed, `blip ${binMs} ${isAtStep}`);
  const how: PairCase = {
    p0: P0,
    fresh: 0.05,
    old: 0.05,
    ...sides(0.5),
    falseAlarmEverySec: MONTH_SEC,
    binMs,
    isAtStep,
  };
  let alarms = 0;
  for (let run = 0; run < runs; run++) if (signDelay(luck, how, 60) !== undefined) alarms++;
  return { binMs, isAtStep, alarms, runs, share: alarms / runs };
};
