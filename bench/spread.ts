/** The middle value, or the mean of the two middle ones; undefined without values. */
export const median = (values: readonly number[]): number | undefined => {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1] ?? Number.NaN, sorted[Math.floor(half)] ?? Number.NaN];
  return (low + high) / 2;
};

/** The largest value; undefined without values. */
export const largest = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values);

export const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** Whole milliseconds, or a dash. */
export const ms = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : `${Math.round(value)} ms`;

/** A number with `digits` decimals, or a dash. */
export const decimal = (value: number | undefined, digits: number): string =>
  value === undefined ? "-" : value.toFixed(digits);
