/** A probe order that somebody traded with, and what became of what it bought. */
export type ProbeFill = {
  readonly region: string;
  readonly cohort: string;
  readonly clOrdId: string;
  readonly instrument: string;
  /** What was bought, in the base currency, without the fee that was taken from it. */
  readonly size: string;
  /** Price of the probe order. */
  readonly px: string;
  /** What was sold again so far. */
  readonly sold: string;
  /** `kept`: it could not be sold, and a person must see to it. */
  readonly state: "selling" | "sold" | "kept";
  /** Why it could not be sold. */
  readonly why?: string;
};
