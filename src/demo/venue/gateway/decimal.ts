const PLACES = 18;

/** A decimal number times 10^18, exact. */
export type Scaled = bigint;

/** Reads a plain decimal such as "0.015". Anything else, exponents and signs included, is `undefined`. */
export const parseDecimal = (text: unknown): Scaled | undefined => {
  if (typeof text !== "string") return undefined;
  const match = /^(\d{1,30})(?:\.(\d{1,18}))?$/.exec(text);
  return match === null ? undefined : BigInt(match[1] + (match[2] ?? "").padEnd(PLACES, "0"));
};

/** Writes it without trailing zeros: "60000.1". */
export const formatDecimal = (value: Scaled): string => {
  const digits = value.toString().padStart(PLACES + 1, "0");
  const fraction = digits.slice(-PLACES).replace(/0+$/, "");
  return digits.slice(0, -PLACES) + (fraction === "" ? "" : `.${fraction}`);
};

/** Whether `value` is a whole number of `step`s. */
export const isMultiple = (value: Scaled, step: Scaled): boolean => step > 0n && value % step === 0n;

/** The largest multiple of `step` that is not above `value`. */
export const floorTo = (value: Scaled, step: Scaled): Scaled => value - (value % step);

const ONE: Scaled = 10n ** 18n;

export const over = (left: Scaled, right: Scaled): Scaled => (left * ONE) / right;

/** `value` changed by `pct` percent: 100 by "+50" is 150. */
export const shiftedBy = (value: Scaled, pct: Scaled, sign: 1n | -1n): Scaled =>
  value + (sign * value * pct) / (100n * ONE);
