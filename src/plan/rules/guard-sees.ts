import { durationText } from "../duration.ts";
import type { PlanGuard } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import type { PlanRule } from "./rule.ts";

/** Least baseline at which the guard could tell a bad release from an ordinary day too slowly to matter. */
const HIGH_BASELINE_PCT = 5;

/** A guard that watches nothing, or that calls everything normal, is none. */
export const guardSees: PlanRule = ({ guard }) => [
  ...watchesNothing(guard),
  ...highBaseline(guard),
  ...neverSlow(guard),
];

const watchesNothing = ({ operations }: PlanGuard): readonly Complaint[] =>
  operations.length > 0
    ? []
    : [
        {
          code: "GUARD_BLIND",
          message: "the guard watches no operation, so it could never see harm",
          path: ["guard", "operations"],
          hint: "name order, amend and cancel, or leave it out",
        },
      ];

const highBaseline = ({ baselineAtMostPct }: PlanGuard): readonly Complaint[] =>
  baselineAtMostPct < HIGH_BASELINE_PCT
    ? []
    : [
        {
          code: "GUARD_BLIND",
          message: `a baseline of ${baselineAtMostPct}% calls it health when one operation in ${Math.round(100 / baselineAtMostPct)} fails`,
          path: ["guard", "baseline", "atMost"],
          hint: `state less than ${HIGH_BASELINE_PCT}%; 0.1% is usual`,
        },
      ];

const neverSlow = ({ slowerThanMs, deadlineMs }: PlanGuard): readonly Complaint[] =>
  slowerThanMs <= deadlineMs
    ? []
    : [
        {
          code: "GUARD_BLIND",
          message: `nothing is ever slower than ${durationText(slowerThanMs)}: an operation has failed after ${durationText(deadlineMs)}`,
          path: ["guard", "slowerThan"],
          hint: `make guard.deadline longer, or slowerThan at most ${durationText(deadlineMs)}`,
        },
      ];
