import type { Count, CountBin, CountSide } from "../../guard/count.ts";
import type { ProbeOutcome } from "./probe-chain.ts";

/** What came of one probe operation, and who served it. */
export type Sample = {
  readonly outcome: ProbeOutcome;
  readonly isSlow: boolean;
  readonly cohort: string;
  readonly served: Served;
  /** Instance that it was pinned to. */
  readonly target?: string;
  /** It says nothing of the service, such as a goodbye, or a deadline that passed while this thread stood still. */
  readonly isPassedOver?: true;
};
export type Served = { readonly side: CountSide; readonly release: string; readonly isExposed: boolean };

/** Sums of one bin. `countsRefusals`: refusals are told too, as a share of what was asked. */
export const countsOf = (
  samples: readonly Sample[],
  { region, countsRefusals }: { readonly region: string; readonly countsRefusals: boolean },
): readonly Count[] => {
  const counts = new Map<string, Mutable>();
  for (const { outcome, isSlow, cohort, served, isPassedOver } of samples) {
    // What is no sample of the service may be one of its refusals.
    if (isPassedOver === true || (outcome.kind === "none" && !(countsRefusals && outcome.isRefused))) continue;
    const { operation } = outcome;
    const key = [operation, cohort, served.release, served.side, served.isExposed].join(" ");
    const count = counts.get(key) ?? {
      operation,
      region,
      cohort,
      source: "probes",
      ...served,
      issued: 0,
      failed: 0,
      unreached: 0,
      slow: 0,
      codes: {},
    };
    if (countsRefusals) {
      count.asked = (count.asked ?? 0) + 1;
      count.refused = (count.refused ?? 0) + (outcome.kind === "none" ? 1 : 0);
    }
    if (outcome.kind !== "none") count.issued++;
    if (isSlow) count.slow++;
    if (outcome.kind === "failed") {
      count.failed++;
      if (!outcome.isReached) count.unreached++;
      count.codes[outcome.code] = (count.codes[outcome.code] ?? 0) + 1;
    }
    counts.set(key, count);
  }
  return [...counts.values()];
};

/** Instances that did as a probe of their own asked. */
export const metIn = (samples: readonly Sample[]): Pick<CountBin, "met"> => {
  const met = samples.flatMap(({ target, outcome, isPassedOver }) =>
    target === undefined || outcome.kind !== "ok" || isPassedOver === true ? [] : [target],
  );
  return met.length === 0 ? {} : { met: [...new Set(met)] };
};

type Mutable = { -readonly [Key in keyof Count]: Count[Key] } & {
  codes: Record<string, number>;
  unreached: number;
  slow: number;
};
