const PLACES = 18;
const ONE = 10n ** 18n;

/** A decimal number times 10^18, exact: prices, sizes and amounts never touch a float. */
export type Decimal = bigint;

/** Reads a plain, positive or zero decimal such as "0.015". Anything else, signs and exponents included, is `undefined`. */
export const readDecimal = (text: unknown): Decimal | undefined => {
  if (typeof text !== "string") return undefined;
  const match = /^(\d{1,20})(?:\.(\d{1,18}))?$/.exec(text);
  return match === null ? undefined : BigInt(match[1] + (match[2] ?? "").padEnd(PLACES, "0"));
};

/** Writes it without trailing zeros: "60000.1". */
export const showDecimal = (value: Decimal): string => {
  const digits = value.toString().padStart(PLACES + 1, "0");
  const fraction = digits.slice(-PLACES).replace(/0+$/, "");
  return digits.slice(0, -PLACES) + (fraction === "" ? "" : `.${fraction}`);
};

export const times = (left: Decimal, right: Decimal): Decimal => (left * right) / ONE;

export const over = (left: Decimal, right: Decimal): Decimal => (left * ONE) / right;

export const least = (left: Decimal, right: Decimal): Decimal => (left < right ? left : right);
