/** A share of 0–1 for sentences, to two digits: `0.26 %`. */
export const pct = (share: number): string => `${Number((share * 100).toPrecision(2))} %`;
