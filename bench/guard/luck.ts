/** Numbers in [0, 1) that are the same for the same seed. */
export type Luck = () => number;

/** sfc32: small and fast, with a period that a year of simulated outcomes does not come near. */
export const luckOf = (seed: number): Luck => {
  let [a, b, c, counter] = [seed | 0, Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b), 0x2545f491, 1];
  const next = (): number => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + mixed;
    c |= 0;
    return (mixed >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 15; round++) next();
  return next;
};

/** How many do not happen before the first that does, when each happens with chance `p`. */
export const geometric = (luck: Luck, p: number): number =>
  p >= 1 ? 0 : Math.floor(Math.log1p(-luck()) / Math.log1p(-p));

/** How many of `n` happen. */
export const binomial = (luck: Luck, n: number, p: number): number => {
  if (p <= 0) return 0;
  if (p >= 1) return n;
  let count = 0;
  for (let at = geometric(luck, p); at < n; at += 1 + geometric(luck, p)) count++;
  return count;
};
