/** How long a decision took, over many runs: seconds from the first bad outcome, and how many operations failed until then. */
export type Delays = {
  readonly median: number;
  readonly p95: number;
  /** Median of failed operations. */
  readonly failed: number;
  readonly runs: number;
};

export type Run = { readonly seconds: number; readonly failed: number };

export const delaysOf = (runs: number, simulate: (run: number) => Run): Delays => {
  const [seconds, failed] = [new Float64Array(runs), new Float64Array(runs)];
  for (let run = 0; run < runs; run++) {
    const told = simulate(run);
    seconds[run] = told.seconds;
    failed[run] = told.failed;
  }
  seconds.sort();
  failed.sort();
  return { median: at(seconds, 0.5), p95: at(seconds, 0.95), failed: at(failed, 0.5), runs };
};

const at = (sorted: Float64Array, share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;

/** Seconds with as many digits as they deserve. */
export const told = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return "-";
  return seconds >= 100
    ? seconds.toFixed(0)
    : seconds >= 10
      ? seconds.toFixed(1)
      : seconds >= 1
        ? seconds.toFixed(2)
        : seconds.toFixed(3);
};

export const toldDelays = ({ median, p95, failed }: Delays): string => `${told(median)} / ${told(p95)} (${failed})`;
