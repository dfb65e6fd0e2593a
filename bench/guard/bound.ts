/**
 * The yardstick: no rule whose mean time between false alarms is `arl` or more can have a smaller worst mean delay than a CUSUM that knows
 * the failing rate (Moustakides 1986). Solved exactly on a lattice.
 */
export type Bound = { readonly samples: number; readonly down: number; readonly up: number; readonly level: number };

/** `arl` in samples; `p0` and `p1` are the failure rates in health and after the fault. */
export const exactBound = (p0: number, p1: number, arl: number): Bound => {
  if (p1 >= 1) return failuresInARow(p0, arl);
  const { down, up } = latticeOf(p0, p1);
  const isEnough = (level: number): boolean => meanRunLength({ p: p0, down, up, level }) >= arl;
  let high = up;
  while (!isEnough(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return { samples: meanRunLength({ p: p1, down, up, level: high }), down, up, level: high };
};

// With certain failures the best rule waits for so many in a row.
const failuresInARow = (p0: number, arl: number): Bound => {
  let level = 1;
  while ((1 - p0 ** level) / ((1 - p0) * p0 ** level) < arl) level++;
  return { samples: level, down: level, up: 1, level };
};

/** Whole steps down for a success and up for a failure, closest to the logarithms of their likelihood ratios. */
const latticeOf = (p0: number, p1: number): { readonly down: number; readonly up: number } => {
  const [up, down] = [Math.log(p1 / p0), Math.log((1 - p0) / (1 - p1))];
  const fits = [1, 2, 3, 4, 5, 6].map((steps) => {
    const exact = (up / down) * steps;
    return { down: steps, up: Math.max(1, Math.round(exact)), error: Math.abs(exact - Math.round(exact)) / steps };
  });
  const [best] = fits.toSorted((a, b) => a.error - b.error);
  return best ?? { down: 1, up: 1 };
};

export type Walk = { readonly p: number; readonly down: number; readonly up: number; readonly level: number };

/** Mean number of samples from state 0 until the state reaches `level`: +up with chance p, else −down but never below 0. */
export const meanRunLength = ({ p, down, up, level }: Walk): number => {
  // From the highest state down, x_s is written as constant + Σ share_j · x_(s−j), j = 1…down. Only the last `up` states are needed again.
  const constants = new Float64Array(level);
  const shares = new Float64Array(level * (down + 1));
  const window = new Float64Array(up + down + 1);
  let start = Number.NaN;
  for (let state = level - 1; state >= 0; state--) {
    // window[k]: share of x_(state − down + k).
    window.fill(0);
    const below = Math.max(0, state - down);
    window[below - state + down] = 1 - p;
    let constant = 1;
    if (state + up < level) window[up + down] = p;
    for (let above = Math.min(state + up, level - 1); above > state; above--) {
      const share = window[above - state + down] ?? 0;
      if (share === 0) continue;
      constant += share * (constants[above] ?? 0);
      for (let j = 1; j <= Math.min(down, above); j++)
        window[above - j - state + down] =
          (window[above - j - state + down] ?? 0) + share * (shares[above * (down + 1) + j] ?? 0);
    }
    const stays = 1 - (window[down] ?? 0);
    constants[state] = constant / stays;
    for (let j = 1; j <= Math.min(down, state); j++) shares[state * (down + 1) + j] = (window[down - j] ?? 0) / stays;
    start = constant / stays;
  }
  return start;
};
