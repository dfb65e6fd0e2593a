import { evidenceIn, inject } from "../../src/guard/detector/mixture.ts";
import { isAlarm, massSince } from "../../src/guard/detector/promise.ts";
import { foldSigns, freshSigns, secondsPerSign } from "../../src/guard/detector/signs.ts";
import type { Run } from "./delays.ts";
import { binomial, type Luck } from "./luck.ts";
import { promiseOf } from "./outcome-delay.ts";

/** Two releases side by side. */
export type PairCase = {
  readonly p0: number;
  /** Failure rates of the new release and of the old one. */
  readonly fresh: number;
  readonly old: number;
  /** Outcomes per second of each. */
  readonly freshPerSec: number;
  readonly oldPerSec: number;
  readonly falseAlarmEverySec: number;
  readonly binMs: number;
  readonly isAtStep: boolean;
};

/** One run of the paired signs with rest, as the guard folds them; undefined when nothing was said within `forSec`. */
export const signDelay = (luck: Luck, how: PairCase, forSec = Infinity): Run | undefined => {
  const promised = promiseOf(how);
  const [nNew, nOld] = [how.freshPerSec, how.oldPerSec].map((perSec) => Math.round((perSec * how.binMs) / 1000)) as [
    number,
    number,
  ];
  const mass = secondsPerSign({ fresh: nNew, old: nOld, ms: how.binMs }, how.p0);
  let [signs, failed] = [freshSigns, 0];
  for (let index = 0; index * how.binMs < forSec * 1000; index++) {
    const [from, to] = [index * how.binMs, (index + 1) * how.binMs];
    if (how.isAtStep) {
      const came = massSince(promised.stepMass, to) - (index === 0 ? 0 : massSince(promised.stepMass, from));
      if (came > 0) signs = { ...signs, mixture: inject(signs.mixture, came) };
    }
    const [fresh, old] = [binomial(luck, nNew, how.fresh), binomial(luck, nOld, how.old)];
    failed += fresh;
    const sides = { fresh: { issued: nNew, failed: fresh }, old: { issued: nOld, failed: old } };
    signs = foldSigns(signs, { ...sides, from, to, mass });
    if (isAlarm(evidenceIn(signs.mixture), promised)) return { seconds: to / 1000, failed };
  }
  return undefined;
};
