export const didYouMean = (_word: string, candidates: readonly string[]): string | undefined => (candidates.length === 0 ? undefined : `known: ${candidates.slice(0, 12).join(", ")}`);
