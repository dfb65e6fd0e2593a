/** What direct probes at instances in the dark have shown. */
export type ProofResult =
  | { readonly kind: "proved"; readonly outcomes: number; readonly ms: number }
  | {
      readonly kind: "refuted";
      readonly reason: string;
      readonly outcomes: number;
      readonly failed: number;
      readonly ms: number;
    }
  /** Neither in time. */
  | { readonly kind: "undecided"; readonly reason: string; readonly outcomes: number };
