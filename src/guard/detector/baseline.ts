/** What was counted in health: failures among outcomes, and how they lay. */
export type Measured = {
  readonly issued: number;
  readonly failed: number;
  /** Variance / mean of failures per second: 1 when they are independent, more when they come in bursts. */
  readonly dispersion: number;
};

/** Never below: a rate that would take days of outcomes to show is not known. */
const LEAST = 1e-5;
const DOUBT = 0.001;

/** Upper bound of the failure rate with 99.9 % confidence (Clopper–Pearson). Bursts count as fewer, larger outcomes. 1 when nothing was counted, or nothing but failures. */
export const upperBaseline = ({ issued, failed, dispersion }: Measured): number => {
  const size = sizeOf(dispersion);
  const [n, k] = [issued / size, Math.min(failed, issued) / size];
  if (!(k >= 0 && n > k)) return 1;
  return Math.max(LEAST, betaQuantile(1 - DOUBT, k + 1, n - k));
};

/** Lower bound of the failure rate with 99.99 % confidence, found in the same way. 0 when nothing failed. */
export const lowerBaseline = ({ issued, failed, dispersion }: Measured): number => {
  const size = sizeOf(dispersion);
  const [n, k] = [issued / size, Math.min(failed, issued) / size];
  return k > 0 ? betaQuantile(DOUBT_TO_REFUSE, k, n - k + 1) : 0;
};
/** Nobody is refused for bad luck: several strata are looked at in every run. */
const DOUBT_TO_REFUSE = 0.0001;

/** How many outcomes go for one. */
const sizeOf = (dispersion: number): number => Math.max(1, dispersion || 1);

/** Failures counted second by second: how many seconds, their sum, and the sum of their squares. */
export type PerSecond = { readonly seconds: number; readonly failed: number; readonly squares: number };

/** Variance / mean of failures per second; 1 for fewer than two seconds or without failures. */
export const dispersionOf = ({ seconds, failed, squares }: PerSecond): number =>
  seconds >= 2 && failed > 0
    ? Math.max(0, (squares - (failed * failed) / seconds) / (seconds - 1) / (failed / seconds))
    : 1;

/** The value that a Beta(a, b) variable stays below with that probability, by bisection. */
const betaQuantile = (probability: number, a: number, b: number): number => {
  let [low, high] = [0, 1];
  // Halving a double's range to its last bit takes about as many steps.
  // Stryker disable next-line EqualityOperator: one step more changes no bit
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    // Stryker disable next-line EqualityOperator: who hits the value itself ends beside it either way
    if (betaCdf(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** Regularised incomplete beta function. */
const betaCdf = (x: number, a: number, b: number): number => {
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
  // The fraction converges fast on its own side of the mean only.
  // Stryker disable next-line EqualityOperator,ArithmeticOperator: near the mean both sides come to the same
  const isBelow = x < (a + 1) / (a + b + 2);
  return isBelow ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
};

/** Its continued fraction, by Lentz's method. */
const fraction = (x: number, a: number, b: number): number => {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  // Stryker disable next-line EqualityOperator: the last term of so many changes nothing
  for (let m = 1; m <= MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      change = c * d;
      value *= change;
    }
    // Stryker disable next-line ConditionalExpression,EqualityOperator,ArithmeticOperator: further terms change nothing but the time it takes
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return value;
};
const MOST_TERMS = 10_000;
// Stryker disable next-line ConditionalExpression,EqualityOperator: against a division by zero that no counts have brought about
const awayFromZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** Lanczos, g = 7. */
const logGamma = (x: number): number => {
  const t = x + 6.5;
  const series = LANCZOS.reduce((sum, term, index) => sum + (index === 0 ? term : term / (x - 1 + index)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series);
};
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
