/** `20s`, or `250ms` where it is no whole number of seconds. */
export const seconds = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);
