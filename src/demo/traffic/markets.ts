import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Fields } from "../okx-client/fields.ts";
import type { RestRequest } from "../okx-client/rest.ts";
import { REGIONS } from "./config.ts";
import type { Market } from "./intent.ts";
import { callWithin, envelopeOf } from "./queries.ts";
import type { Clients } from "./queries.ts";

/** The instruments that users trade. PROBE-USDT is left to the probes. */
const TRADED: readonly { readonly instId: string; readonly usualPx: number; readonly unitSz: number }[] = [
  { instId: "BTC-USDT", usualPx: 60_000, unitSz: 0.0005 },
  { instId: "ETH-USDT", usualPx: 3_000, unitSz: 0.005 },
];

/** Reads instruments and last prices. Rejects: `VENUE_UNREACHABLE` if no region answers within `patienceMs`. */
export const readMarkets = async (clients: Clients, patienceMs: number): Promise<readonly Market[]> => {
  const rows = await ask(clients, "/api/v5/public/instruments?instType=SPOT", patienceMs);
  const markets: Market[] = [];
  for (const { instId, usualPx, unitSz } of TRADED) {
    const row = rows.find((one) => one["instId"] === instId);
    if (row === undefined) continue;
    const [ticker] = await ask(clients, `/api/v5/market/ticker?instId=${instId}`, patienceMs);
    markets.push({
      instId,
      instIdCode: Number(row["instIdCode"]),
      pxDigits: digitsOf(row["tickSz"]),
      szDigits: digitsOf(row["lotSz"]),
      referencePx: Number(ticker?.["last"]) || usualPx,
      unitSz,
    });
  }
  if (markets.length > 0) return markets;
  throw unreachable("the venue lists none of the instruments that its users trade");
};

const ask = async (clients: Clients, target: string, patienceMs: number): Promise<readonly Fields[]> => {
  const request: RestRequest = { method: "GET", target };
  for (const until = performance.now() + patienceMs; performance.now() < until;) {
    for (const region of REGIONS) {
      const envelope = envelopeOf(await callWithin(clients[region], request, 1_000));
      if (envelope?.code === "0") return envelope.rows;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw unreachable(`neither region answered GET ${target} within ${patienceMs} ms`);
};

const unreachable = (facts: string): UpgradeError =>
  new UpgradeError("VENUE_UNREACHABLE", facts, { hint: "check the addresses in TRAFFIC and that the venue runs" });

const digitsOf = (step: unknown): number => {
  const text = typeof step === "string" ? step : "";
  return text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
};
