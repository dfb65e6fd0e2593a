const MOST_TOLD = 160;

/** Text from outside, short and harmless enough for a sentence. */
export const brief = (text: string): string => {
  const line = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, " ").trim();
  return line.length > MOST_TOLD ? `${line.slice(0, MOST_TOLD)}…` : line;
};
