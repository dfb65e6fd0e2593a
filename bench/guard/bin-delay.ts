import { foldIntoBins, freshBinStream, isResting, type TimedBin } from "../../src/guard/detector/bin-stream.ts";
import { evidenceSoFar } from "../../src/guard/detector/bins.ts";
import { evidenceIn } from "../../src/guard/detector/mixture.ts";
import { isAlarm, massSince } from "../../src/guard/detector/promise.ts";
import type { Run } from "./delays.ts";
import { binomial, type Luck } from "./luck.ts";
import { promiseOf, type OutcomeCase } from "./outcome-delay.ts";

export type BinCase = Omit<OutcomeCase, "restMs"> & {
  readonly binMs: number;
  /** The running bin is looked at after each failure. */
  readonly isEarly: boolean;
};

/** One run of the bin form with rest, as the guard folds it. The fault comes at the edge of a bin; the delay ends where the bin is closed, deadlines apart. */
export const binDelay = (luck: Luck, how: BinCase): Run => {
  const promised = promiseOf(how);
  const issued = Math.round((how.perSec * how.binMs) / 1000);
  let stream = freshBinStream;
  let failed = 0;
  for (let index = 0; ; index++) {
    const [from, to] = [index * how.binMs, (index + 1) * how.binMs];
    const step = how.isAtStep
      ? massSince(promised.stepMass, to) - (index === 0 ? 0 : massSince(promised.stepMass, from))
      : 0;
    const bin: TimedBin = { from, to, issued, failed: 0, seconds: how.binMs / 1000 + step };
    if (how.isEarly && !isResting(stream, bin)) {
      let inBin = 0;
      for (let outcome = 1; outcome <= issued; outcome++) {
        if (luck() >= how.p1) continue;
        inBin++;
        if (isAlarm(evidenceSoFar(stream.mixture, { ...bin, failed: inBin }, how.p0), promised))
          return { seconds: from / 1000 + outcome / how.perSec, failed: failed + inBin };
      }
      failed += inBin;
      stream = foldIntoBins(stream, { ...bin, failed: inBin }, how.p0);
    } else {
      const inBin = binomial(luck, issued, how.p1);
      failed += inBin;
      stream = foldIntoBins(stream, { ...bin, failed: inBin }, how.p0);
    }
    if (isAlarm(evidenceIn(stream.mixture), promised)) return { seconds: to / 1000, failed };
  }
};
