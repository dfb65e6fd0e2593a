import { RULES } from "./rules.ts";
import type { TrialFinding, TriedLoad, TrialRule } from "./result.ts";

/** What users would have felt. `file`: of the last migration of the step. */
export function judgeLoad(load: TriedLoad, file: string): readonly TrialFinding[] {
  const found = (rule: TrialRule, message: string): TrialFinding => ({
    rule,
    // Calls have failed: this is no warning any more.
    severity: "block",
    ...(load.names.at(-1) === undefined ? {} : { migration: load.names.at(-1) ?? "" }),
    file,
    line: 0,
    statement: 0,
    message,
    hint: RULES[rule].hint,
  });
  const way = load.direction === "up" ? "while it was applied" : "while it was taken back";
  if (load.failure !== undefined)
    return [found("order-load-stuck", `it did not come to its end under load: ${load.failure}`)];
  const ofCalls = (calls: number): string => `${calls} of ${load.calls} calls of ${load.releases.join(" and ")}`;
  const of = (kind: Kind) => load.failures.filter(({ reason }) => kindOf(reason) === kind);
  const [late, replanned, refused] = [of("late"), of("replanned"), of("refused")];
  return [
    ...(replanned.length === 0
      ? []
      : [
          found(
            "result-shape-changed",
            `${ofCalls(sum(replanned))} failed ${way}: sessions that had prepared them before can't run them any more (${wordsOf(replanned)})`,
          ),
        ]),
    ...(refused.length === 0
      ? []
      : [found("order-load-failed", `${ofCalls(sum(refused))} failed ${way}: ${wordsOf(refused)}`)]),
    ...(late.length === 0 ? [] : [lateness(load, ofCalls(sum(late)), way, found)]),
  ];
}

type Failure = TriedLoad["failures"][number];
type Kind = "late" | "replanned" | "refused";

const kindOf = (reason: string): Kind => {
  if (/57014|answered after|timeout/i.test(reason)) return "late";
  return reason.includes("0A000") ? "replanned" : "refused";
};

const sum = (failures: readonly Failure[]): number => failures.reduce((total, { calls }) => total + calls, 0);
const wordsOf = (failures: readonly Failure[]): string =>
  failures.map(({ query, reason, calls }) => `${query} ${calls} × ${reason}`).join(", ");

const lateness = (
  load: TriedLoad,
  calls: string,
  way: string,
  found: (rule: TrialRule, message: string) => TrialFinding,
): TrialFinding =>
  load.idleFailed > 0
    ? found(
        "order-load-unproven",
        `${calls} were late ${way}, and so were ${load.idleFailed} of ${load.idleCalls} that asked the store for nothing: the machine is too busy to tell`,
      )
    : found("order-load-failed", `${calls} got no answer in time ${way}, the slowest took ${load.worstMs} ms`);
