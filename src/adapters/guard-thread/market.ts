import type { OkxVenue } from "./okx-venue.ts";

/** Where probe orders of one region lie: bids far below the market, one step apart, as small as allowed. */
export type Market = {
  readonly instId: string;
  readonly instType: string;
  readonly sz: string;
  /** Price number `step` from the base. */ readonly px: (step: number) => string;
};

/** Share of the last price that probe bids lie at: far from trading, and inside the bands that venues put around it. */
const FAR = 0.7;
/** Ticks from zero where nothing was ever traded and nobody offers. */
const NO_PRICE_TICKS = 1_000;

/** Asks the venue for the instrument and its price; a sentence when it cannot be used. */
export const readMarket = async (venue: OkxVenue, origin: string, instId: string): Promise<Market | string> => {
  const instType = "SPOT";
  const [instruments, ticker] = await Promise.all([
    venue.call(
      origin,
      { method: "GET", target: `/api/v5/public/instruments?instType=${instType}&instId=${encodeURIComponent(instId)}` },
      2_000,
    ),
    venue.call(origin, { method: "GET", target: `/api/v5/market/ticker?instId=${encodeURIComponent(instId)}` }, 2_000),
  ]);
  if ("transport" in instruments) return `${origin} does not answer (${instruments.transport})`;
  const instrument = instruments.rows.find((row) => row["instId"] === instId);
  const [tick, lot] = [text(instrument?.["tickSz"]), text(instrument?.["lotSz"])];
  if (instrument === undefined || !(Number(tick) > 0)) return `${origin} does not list the instrument ${instId}`;
  const quote = "transport" in ticker ? undefined : ticker.rows[0];
  const price = [quote?.["last"], quote?.["askPx"], quote?.["bidPx"]]
    .map((value) => Number(text(value)))
    .find((value) => value > 0);
  const base = Math.max(1, price === undefined ? NO_PRICE_TICKS : Math.floor((price * FAR) / Number(tick)));
  const minimum = text(instrument["minSz"]);
  return {
    instId,
    instType,
    sz: Number(minimum) >= Number(lot) ? minimum : lot,
    px: (step) => (Number(tick) * (base + step)).toFixed(decimalsOf(tick)),
  };
};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const decimalsOf = (tick: string): number => {
  const [, exponent] = tick.toLowerCase().split("e-");
  return exponent === undefined ? (tick.split(".")[1]?.length ?? 0) : Number(exponent);
};
