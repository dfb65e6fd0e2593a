import type { ProbeFill } from "../guard/probe-fill.ts";

/** "probe order mf1 in tokyo was filled: 0.01 of PROBE-USDT bought at 70, and sold again". */
export const fillText = ({ region, clOrdId, instrument, size, px, sold, state, why }: ProbeFill): string => {
  const bought = `probe order ${clOrdId} in ${region} was filled: ${size} of ${instrument} bought at ${px}`;
  switch (state) {
    case "selling":
      return `${bought}; it is sold again now`;
    case "sold":
      return `${bought}, and sold again`;
    case "kept":
      return `${bought}, and only ${sold} of it sold again (${why ?? "for no known reason"}); sell the rest by hand`;
  }
};
