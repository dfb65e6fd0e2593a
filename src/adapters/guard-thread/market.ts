import type { OkxVenue, VenueReply } from "./okx-venue.ts";

/** Where probe orders of one region lie: bids far below the market, one step apart, as small as allowed. */
export type Market = {
  readonly instId: string;
  readonly instType: string;
  /** By which WebSocket names the instrument, where it has one. */
  readonly instIdCode?: number;
  readonly quote: string;
  readonly sz: string;
  /** Sizes are multiples of this, written with so many digits. */
  readonly lotSz: string;
  /** Price number `step` from the base. */ readonly px: (step: number) => string;
  /** Least price at which what a probe bought by accident is sold: above `than`, near the market, and inside the venue's limit. */
  readonly sellPx: (than: number) => string;
  /** What one probe order is worth, in the quote currency. */
  readonly notional: number;
};

/** Share of the last price that probe bids lie at: far from trading, and inside the bands that venues put around it. */
export const FAR = 0.7;
/** Share of the last price below which nothing is sold again. Above the bids of other probes, so that they don't buy from each other. */
export const NEAR = 0.9;
/** Ticks from zero where nothing was ever traded and nobody offers. */
const NO_PRICE_TICKS = 1_000;
const ABOVE_TICKS = 10;

/** Asks the venue for the instrument and its price; a sentence when it cannot be used. */
export const readMarket = async (venue: OkxVenue, origin: string, instId: string): Promise<Market | string> => {
  const instType = "SPOT";
  const name = encodeURIComponent(instId);
  const get = (target: string): Promise<VenueReply> => venue.call(origin, { method: "GET", target }, 2_000);
  const [instruments, ticker, limits] = await Promise.all([
    get(`/api/v5/public/instruments?instType=${instType}&instId=${name}`),
    get(`/api/v5/market/ticker?instId=${name}`),
    get(`/api/v5/public/price-limit?instId=${name}`),
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
  const sz = Number(minimum) >= Number(lot) ? minimum : lot;
  const px = (ticks: number): string => (Number(tick) * ticks).toFixed(decimalsOf(tick));
  // A venue without limits of its own does not know the question.
  const lowest = "transport" in limits ? 0 : Number(text(limits.rows[0]?.["sellLmt"]));
  const code = instrument["instIdCode"];
  return {
    instId,
    instType,
    ...(typeof code === "number" ? { instIdCode: code } : {}),
    quote: instId.split("-")[1] ?? "",
    sz,
    lotSz: lot,
    px: (step) => px(base + step),
    sellPx: (than) =>
      px(
        Math.max(
          Math.ceil(Math.max(price === undefined ? 0 : price * NEAR, lowest) / Number(tick)),
          Math.round(than / Number(tick)) + ABOVE_TICKS,
        ),
      ),
    notional: Number(tick) * base * Number(sz),
  };
};

/** `amount` as the venue takes sizes: cut down to whole lots. */
export const inLots = (amount: number, lotSz: string): string => {
  const decimals = decimalsOf(lotSz);
  // What is a hair below a whole number of lots is that number: sizes are decimals, and sums of them are not.
  const lots = Math.floor(amount / Number(lotSz) + 1e-6);
  return (Math.max(0, lots) * Number(lotSz)).toFixed(decimals);
};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const decimalsOf = (tick: string): number => {
  const [, exponent] = tick.toLowerCase().split("e-");
  return exponent === undefined ? (tick.split(".")[1]?.length ?? 0) : Number(exponent);
};
