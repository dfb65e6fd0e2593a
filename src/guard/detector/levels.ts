/** Streams that are judged at one level of detail, such as one for each cohort: how many, and the sum of what they hold. */
export type Level = { readonly weight: number; readonly streams: number; readonly total: number };

/**
 * Mixes levels into one evidence: the mean of a level's streams, weighted. Means keep the promise under any dependence between streams,
 * and one stream among n pays only ln n for the others. Weights need not sum to 1; a level without streams has none.
 */
export const mixLevels = (levels: Iterable<Level>): number => {
  let [mixed, weights] = [0, 0];
  for (const { weight, streams, total } of levels) {
    if (streams === 0) continue;
    mixed += (weight * total) / streams;
    weights += weight;
  }
  return weights === 0 ? 0 : mixed / weights;
};
