import type { Count, CountBin } from "../../src/guard/count.ts";
import { foldFamily, freshFamily, sumsOf, type Family } from "../../src/guard/family.ts";
import { settingsOf, startJudging, type JudgeState } from "../../src/guard/judge.ts";
import type { JudgeSettings } from "../../src/guard/judge-state.ts";
import { noContact, type Instance } from "../../src/guard/loss.ts";
import type { Window } from "../../src/guard/window.ts";
import type { PlanGuard } from "../../src/plan/model.ts";
import { plainGuard } from "../../src/plan/to-plan.ts";

/** One false alarm in 30 days at most: the alarm level is 5,184,000 seconds, a step brings 12,960. */
export const GUARD: PlanGuard = plainGuard();

export const SETTINGS: JudgeSettings = settingsOf(
  GUARD,
  ["tokyo", "frankfurt"].map((region) => ({ region, isProbed: true })),
  true,
);

/** The moment at which a judged state stands. */
export const NOW = 100_000;

export const OLD: Instance = {
  id: "tokyo-1",
  region: "tokyo",
  release: "gateway@1.0",
  side: "old",
  inTraffic: true,
};
export const NEW: Instance = { ...OLD, id: "tokyo-0", release: "gateway@2.0", side: "new" };

/** Ten orders of users in tokyo on the old release, all of them well. */
export const onOld = (more: Partial<Count> = {}): Count => ({
  operation: "order",
  region: "tokyo",
  release: "gateway@1.0",
  side: "old",
  cohort: "shard-1",
  source: "live",
  issued: 10,
  failed: 0,
  ...more,
});
export const onNew = (more: Partial<Count> = {}): Count => onOld({ release: "gateway@2.0", side: "new", ...more });

export const binAt = (at: number, counts: readonly Count[], ms = 100): CountBin => ({ kind: "bin", at, ms, counts });

/** Two bins, one second apart, the later one ends now. */
export const twice = (...counts: readonly Count[]): Window => [binAt(NOW - 1_000, counts), binAt(NOW, counts)];

/** A guard that has seen both releases serve tokyo since five seconds, and found nothing yet. */
export const judged = (more: Partial<JudgeState> = {}): JudgeState => ({
  ...startJudging(SETTINGS, 0),
  at: NOW,
  latch: undefined,
  change: { kind: "instances", at: NOW - 5_000, component: "gateway", regions: ["tokyo"] },
  instances: [NEW, OLD],
  contact: { ...noContact, at: NOW },
  ...more,
});

/** A family in alarm: three bins in which everything failed, with pauses between them so that none rests. */
export const alarmed = (...counts: readonly Count[]): Family => {
  const failing = counts.map((count) => ({ ...count, failed: count.issued }));
  return [2_000, 1_000, 0].reduce(
    (family, ago) => foldFamily(family, binAt(NOW - ago, failing), sumsOf(failing), SETTINGS.p0),
    freshFamily,
  );
};
