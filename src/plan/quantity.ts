/** What a text with a unit turned out to be, or where in it the first wrong character stands (UTF-16 units from its start). */
export type Quantity =
  | { readonly kind: "read"; readonly value: number }
  | { readonly kind: "wrong"; readonly at: number; readonly length: number; readonly why: string };

export const read = (value: number): Quantity => ({ kind: "read", value });
export const wrong = (at: number, length: number, why: string): Quantity => ({
  kind: "wrong",
  at,
  length: Math.max(1, length),
  why,
});
