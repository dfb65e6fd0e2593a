import type { Drill } from "../drill.ts";
import { compare, restricted, type Comparison, type Side } from "./compare.ts";
import type { PlacedAcceptance } from "./accept.ts";
import { lineOf, summaryOf } from "./text.ts";

/** Each difference that blocks is a drill that failed: what is rehearsed beside it proves nothing. The rest is told with the one that passed. */
export function drillsOfParity(
  sides: readonly [Side, Side],
  accept: readonly PlacedAcceptance[],
  about: { readonly isMeant: (id: string) => boolean; readonly now: number; readonly ms: number },
): readonly Drill[] {
  const comparison = restricted(compare(...sides, accept, about.now), about.isMeant);
  const blocking = comparison.differences.filter(({ severity }) => severity === "block");
  const name = `${comparison.a.name} is as ${comparison.b.name} is`;
  if (blocking.length === 0)
    return [{ name, step: "plan", kind: "parity", outcome: "passed", ms: about.ms, detail: toldOf(comparison) }];
  const rest = blocking.length - MOST_DRILLS;
  return blocking.slice(0, MOST_DRILLS).map((difference, index): Drill => ({
    name,
    step: difference.component ?? "plan",
    kind: "parity",
    outcome: "failed",
    ms: about.ms,
    detail: `${lineOf(difference, comparison)}${rest > 0 && index === MOST_DRILLS - 1 ? `\nand ${rest} more that must not be: midflight parity ${comparison.a.name} ${comparison.b.name}` : ""}`,
  }));
}

/** More than these say nothing more. */
const MOST_DRILLS = 20;

const toldOf = (comparison: Comparison): string =>
  [
    summaryOf(comparison),
    ...comparison.differences.filter(({ severity }) => severity === "warn").map((one) => lineOf(one, comparison)),
    ...comparison.accepted.map(({ difference, by }) => `accepted: ${difference.id}, because ${by.because}`),
  ].join("\n");
