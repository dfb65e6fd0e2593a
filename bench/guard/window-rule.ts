import type { Run } from "./delays.ts";
import { binomial, type Luck } from "./luck.ts";

/** What rollout tools do: count over an interval, and call it failed when its rate exceeds a threshold; roll back after so many failed intervals. */
export type WindowRule = { readonly intervalSec: number; readonly above: number; readonly failures: number };

/** One run with a fault at a random moment of an interval; no failures before it. Undefined when the rule said nothing within a day. */
export const windowDelay = (
  luck: Luck,
  rule: WindowRule,
  { p1, perSec }: { readonly p1: number; readonly perSec: number },
): Run | undefined => {
  const size = rule.intervalSec * perSec;
  const healthy = Math.floor(luck() * size);
  let [left, failed, samples] = [rule.failures, 0, 0];
  for (let interval = 0; samples < 86_400 * perSec; interval++) {
    const bad = interval === 0 ? size - healthy : size;
    const here = binomial(luck, bad, p1);
    failed += here;
    samples += bad;
    if (here / size > rule.above && --left === 0) return { seconds: samples / perSec, failed };
  }
  return undefined;
};

/** Mean days between false alarms when each outcome fails with `p0` by itself. */
export const windowRunLengthDays = (
  rule: WindowRule,
  { p0, perSec }: { readonly p0: number; readonly perSec: number },
): number => {
  const size = rule.intervalSec * perSec;
  const most = Math.floor(size * rule.above + 1e-9);
  let [log, chance] = [size * Math.log1p(-p0), 0];
  for (let failed = 0; failed <= size; failed++) {
    if (failed > most) {
      chance += Math.exp(log);
      if (failed > most + 200) break;
    }
    log += Math.log((size - failed) / (failed + 1)) + Math.log(p0) - Math.log1p(-p0);
  }
  return (rule.intervalSec * rule.failures) / chance / 86_400;
};
