import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { readDecimal } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";

/** What the engine must know of an instrument. */
export type Instrument = {
  readonly instId: string;
  readonly base: string;
  readonly quote: string;
  readonly tickSz: Decimal;
  readonly lotSz: Decimal;
  /** The price of the last trade before the engine saw any. */
  readonly last: Decimal;
};

/** The instruments of the venue as ENGINE_INSTRUMENTS gives them. */
export const VENUE_INSTRUMENTS = [
  { instId: "BTC-USDT", tickSz: "0.1", lotSz: "0.00000001", last: "60000" },
  { instId: "ETH-USDT", tickSz: "0.01", lotSz: "0.000001", last: "3000" },
  { instId: "PROBE-USDT", tickSz: "0.01", lotSz: "0.01", last: "100" },
] as const;

const DEFAULT_LAST = "100";

/** Reads `[{instId, tickSz, lotSz, last?}]`. Throws `VENUE_CONFIG`. */
export const readInstruments = (json: string): readonly Instrument[] => {
  const rows = parse(json);
  if (!Array.isArray(rows) || rows.length === 0) throw wrong("it is no JSON array with at least one instrument");
  return rows.map(readInstrument);
};

const parse = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
};

const readInstrument = (row: unknown): Instrument => {
  const fields = (typeof row === "object" && row !== null ? row : {}) as Readonly<Record<string, unknown>>;
  const instId = String(fields["instId"]);
  const [base, quote] = instId.split("-");
  if (base === undefined || quote === undefined || base === "" || quote === "")
    throw wrong(`${instId} is no instrument such as BTC-USDT`);
  const usual = VENUE_INSTRUMENTS.find((one) => one.instId === instId)?.last ?? DEFAULT_LAST;
  const positive = (name: string, value: unknown): Decimal => {
    const read = readDecimal(value);
    if (read === undefined || read === 0n)
      throw wrong(`${name} of ${instId} is ${JSON.stringify(value)}, not a positive decimal string`);
    return read;
  };
  return {
    instId,
    base,
    quote,
    tickSz: positive("tickSz", fields["tickSz"]),
    lotSz: positive("lotSz", fields["lotSz"]),
    last: positive("last", fields["last"] ?? usual),
  };
};

const wrong = (facts: string, cause?: unknown): UpgradeError =>
  new UpgradeError("VENUE_CONFIG", `ENGINE_INSTRUMENTS cannot be read: ${facts}`, {
    hint: 'set it to [{"instId":"BTC-USDT","tickSz":"0.1","lotSz":"0.00000001"}]',
    ...(cause !== undefined && { cause }),
  });
