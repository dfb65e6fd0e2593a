/** Streams that are judged at one level of detail, such as one for each cohort: what each holds. */
export type Level = { readonly weight: number; readonly evidence: readonly number[] };

/**
 * Mixes levels into one evidence: the mean of a level's streams, weighted. Means keep the promise under any dependence between streams,
 * and one stream among n pays only ln n for the others. Weights need not sum to 1; the order of streams does not matter.
 */
export const mixLevels = (levels: readonly Level[]): number => {
  const present = levels.filter(({ evidence }) => evidence.length > 0);
  const weight = sum(present.map((level) => level.weight));
  return weight === 0
    ? 0
    : sum(present.map((level) => (level.weight * sum(level.evidence)) / level.evidence.length)) / weight;
};

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
