import type { Source } from "./count.ts";
import type { OutcomeClass } from "./rules.ts";

/** A code, or a status without one, that no rule names: whoever keeps the rules should say what it means. */
export type UnlistedCode = {
  /** Name of the rules that lack it. */
  readonly rules: string;
  readonly code: string;
  /** What it was taken for. */
  readonly outcome: OutcomeClass;
  /** How often the counters of users' operations had it, and probes got it. Probes pass the counters too. */
  readonly live: number;
  readonly probes: number;
};

/** Once per code. A system that makes up a new code for each answer does not fill the memory: what is too much is counted under one name. */
export const withUnlisted = (
  known: readonly UnlistedCode[],
  seen: Pick<UnlistedCode, "rules" | "code" | "outcome">,
  source: Source,
  times: number,
): readonly UnlistedCode[] => {
  const matches = (row: UnlistedCode, code: string): boolean => row.rules === seen.rules && row.code === code;
  const code = known.length < MOST || known.some((row) => matches(row, seen.code)) ? seen.code : OTHERS;
  const row = known.find((one) => matches(one, code)) ?? { ...seen, code, live: 0, probes: 0 };
  const more = source === "live" ? { ...row, live: row.live + times } : { ...row, probes: row.probes + times };
  return known.includes(row) ? known.map((one) => (one === row ? more : one)) : [...known, more];
};

const MOST = 100;
const OTHERS = "others";
