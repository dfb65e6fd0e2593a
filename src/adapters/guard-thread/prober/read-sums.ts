import type { ProberLine, SumKey } from "./prober-line.ts";

/** What was counted between two times of the prober's. */
export type Grown = {
  readonly from: number;
  readonly to: number;
  readonly sums: readonly (readonly [SumKey, number])[];
};

/** What a line was. `known`: it came before. `late`: of a life that is over. `unsure`: lines are missing, and only a whole one tells what was in them. */
export type Heard =
  | { readonly kind: "known" | "late" }
  | { readonly kind: "unsure"; readonly isRestart: boolean }
  | { readonly kind: "grown"; readonly grown: Grown; readonly isRestart: boolean };

/**
 * Makes differences of sums, whatever became of the lines on the way: a line that comes twice counts once, what was in a lost one is counted with
 * the next whole line, over all the time since, and a prober that started anew counts from nothing.
 */
export const readSums = () => {
  const past = new Set<string>();
  let boot: string | undefined;
  let seq = -1;
  /** Until when all that was counted is known; undefined: what was counted before us is not. */
  let knownTo: number | undefined;
  let isUnsure = false;
  let counts = new Map<string, number>();

  const restart = (line: ProberLine): void => {
    if (boot !== undefined) past.add(boot);
    boot = line.boot;
    seq = line.seq - 1;
    counts = new Map();
    isUnsure = line.seq > 0;
    knownTo = line.seq > 0 ? undefined : line.from;
  };

  const grow = ({ sums }: ProberLine): Grown["sums"] =>
    sums.flatMap(([key, count]) => {
      const name = JSON.stringify(key);
      const more = count - (counts.get(name) ?? 0);
      if (more <= 0) return [];
      counts.set(name, count);
      return [[key, more] as const];
    });

  return (line: ProberLine): Heard => {
    if (past.has(line.boot)) return { kind: "late" };
    const isRestart = boot !== undefined && line.boot !== boot;
    if (line.boot !== boot) restart(line);
    else if (line.seq <= seq) return { kind: "known" };
    isUnsure ||= line.seq > seq + 1;
    seq = line.seq;
    if (isUnsure && line.isWhole !== true) return { kind: "unsure", isRestart };
    const since = knownTo;
    const from = isUnsure ? (since ?? line.to) : line.from;
    const sums = grow(line);
    isUnsure = false;
    knownTo = line.to;
    return { kind: "grown", grown: { from, to: line.to, sums: since === undefined ? [] : sums }, isRestart };
  };
};
