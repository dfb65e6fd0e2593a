/** An item of a class rule: a code, or all numbers from one to another. */
export type RuleCodes =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "range"; readonly from: string; readonly to: string };

export type ParsedRuleCodes = RuleCodes | { readonly kind: "never"; readonly why: string };

/** `50101-50114` is a range; anything else is a code as it stands, such as `-1` or `card-declined`. */
export function parseRuleCodes(text: string): ParsedRuleCodes {
  const [, from, to] = RANGE.exec(text) ?? [];
  if (from === undefined || to === undefined)
    return HALF_RANGE.test(text)
      ? { kind: "never", why: "a range goes from one number to another, such as 50101-50114" }
      : { kind: "code", code: text };
  if (Number(from) > Number(to)) return { kind: "never", why: "this range ends before it begins" };
  if (from.length > to.length) return { kind: "never", why: "the ends of this range have different leading zeros" };
  return { kind: "range", from, to };
}

/** Whether a range holds a code. As many digits as its ends have: `007` is no `7`. */
export const isInRange = (code: string, { from, to }: { readonly from: string; readonly to: string }): boolean =>
  code.length >= from.length &&
  code.length <= to.length &&
  (code.length === from.length || !code.startsWith("0")) &&
  /^\d+$/.test(code) &&
  Number(code) >= Number(from) &&
  Number(code) <= Number(to);

/** Whether every code of `inner` is one of `outer`. */
export const isWithin = (inner: RuleCodes, outer: RuleCodes): boolean => {
  if (inner.kind === "code") return outer.kind === "code" ? inner.code === outer.code : isInRange(inner.code, outer);
  return outer.kind === "code"
    ? inner.from === outer.code && inner.to === outer.code
    : isInRange(inner.from, outer) && isInRange(inner.to, outer);
};

/** A code that both hold. */
export const sharedCode = (a: RuleCodes, b: RuleCodes): string | undefined => {
  if (a.kind === "code") return isWithin(a, b) ? a.code : undefined;
  if (b.kind === "code") return sharedCode(b, a);
  return [a.from, b.from].find((code) => isInRange(code, a) && isInRange(code, b));
};

// Codes of more digits than a number can hold exactly are no range.
const RANGE = /^(\d{1,15})-(\d{1,15})$/;
const HALF_RANGE = /^\d\w*-(\d\w*)?$/;
