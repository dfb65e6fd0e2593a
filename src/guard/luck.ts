/** Groups of operations: how many groups, how many operations, and how many of these failed. */
type Groups = { readonly count: number; readonly issued: number; readonly failed: number };

/**
 * A bound on the chance that failures which strike operations blindly keep to so few groups: the ways to choose these groups of all,
 * times the ways to choose which failures lie in them, times the hypergeometric chance that those do.
 */
export const luckOfKeepingTo = (hot: Groups, all: Groups): number =>
  Math.exp(logChoices(all.count, hot.count) + logMixes(all.failed, hot.failed) + logDraws(hot, all));

/** Logarithm of the ways to choose `some` of `all`. */
const logChoices = (all: number, some: number): number => {
  let log = 0;
  for (let index = 0; index < some; index++) log += Math.log((all - index) / (index + 1));
  return log;
};

/** An upper bound of the same by the entropy of the split, for numbers too large to count through; exact where `some` is all. */
const logMixes = (all: number, some: number): number => {
  if (some === all) return 0;
  const share = some / all;
  return -all * (share * Math.log(share) + (1 - share) * Math.log(1 - share));
};

/** Logarithm of the chance that each failure hits the hot groups, drawn without putting back; from the 20th on as if put back, which is more. */
const logDraws = (hot: Groups, all: Groups): number => {
  let log = 0;
  for (let index = 0; index < Math.min(hot.failed, EXACT); index++)
    log += Math.log((hot.issued - index) / (all.issued - index));
  const rest = Math.max(0, hot.failed - EXACT);
  return rest === 0 ? log : log + rest * Math.log((hot.issued - EXACT) / (all.issued - EXACT));
};
const EXACT = 20;
