/** `2026-03-26T05:50:00.123Z` of an instant given in ms since the epoch. Reads no clock. */
// oxlint-disable-next-line no-restricted-globals -- formats a given instant
export const utc = (ms: number): string => new Date(ms).toISOString();

/** The instant of such a text, in ms since the epoch. */
// oxlint-disable-next-line no-restricted-globals -- reads a given text
export const msOfUtc = (text: string): number => Date.parse(text);
