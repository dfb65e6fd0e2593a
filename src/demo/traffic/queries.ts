import { isFields } from "../okx-client/fields.ts";
import type { Fields } from "../okx-client/fields.ts";
import type { RestAnswer, RestClient, RestMiss, RestRequest } from "../okx-client/rest.ts";
import { otherRegion } from "./config.ts";
import type { Region } from "./config.ts";
import type { VenueOrder } from "./ledger.ts";
import { nameOf } from "./user.ts";
import type { LedgerOrder } from "./ledger.ts";
import type { User } from "./user.ts";
import type { Finding } from "./verdict.ts";

export type Clients = Readonly<Record<Region, RestClient>>;

/** Questions to the venue. Asked in the user's region first, in the other one if that gives no answer. None rejects. */
export type Queries = {
  order(user: User, order: LedgerOrder, timeoutMs: number): Promise<Finding>;
  /** The live orders of the user; undefined: no answer. */
  pending(user: User, timeoutMs: number): Promise<readonly VenueOrder[] | undefined>;
  /** The leverage that the venue has for the user; undefined: no answer. */
  leverage(user: User, instId: string, timeoutMs: number): Promise<string | undefined>;
};

export const createQueries = (clients: Clients): Queries => {
  const ask = async (user: User, target: string, timeoutMs: number): Promise<Answered | undefined> => {
    const first = user.route.region(Date.now());
    for (const region of [first, otherRegion(first)]) {
      const answered = answeredBy(
        await callWithin(clients[region], { method: "GET", target, who: user.who }, timeoutMs),
      );
      if (answered !== undefined) return answered;
    }
    return undefined;
  };
  return {
    async order(user, order, timeoutMs) {
      const answered = await ask(
        user,
        `/api/v5/trade/order?${new URLSearchParams(nameOf(order)).toString()}`,
        timeoutMs,
      );
      if (answered === undefined) return { kind: "no-answer" };
      const found = answered.rows.map(venueOrder).find((row) => row !== undefined);
      if (found !== undefined) return { kind: "found", order: found };
      return UNKNOWN_ORDER.has(answered.code) || answered.code === "0" ? { kind: "unknown" } : { kind: "no-answer" };
    },
    async pending(user, timeoutMs) {
      const answered = await ask(user, "/api/v5/trade/orders-pending?limit=100", timeoutMs);
      return answered?.code === "0" ? answered.rows.map(venueOrder).filter((row) => row !== undefined) : undefined;
    },
    async leverage(user, instId, timeoutMs) {
      const answered = await ask(user, `/api/v5/account/leverage-info?instId=${instId}&mgnMode=cross`, timeoutMs);
      const lever = answered?.rows[0]?.["lever"];
      return answered?.code === "0" && typeof lever === "string" ? lever : undefined;
    },
  };
};

/** One call that gives up after `timeoutMs`. The deadline lets answers that have already arrived be read first. */
export const callWithin = async (
  client: RestClient,
  request: RestRequest,
  timeoutMs: number,
): Promise<RestAnswer | RestMiss> => {
  const aborter = new AbortController();
  const timer = setTimeout(() => setImmediate(() => aborter.abort()), timeoutMs);
  const answer = await client.call(request, aborter.signal);
  clearTimeout(timer);
  return answer;
};

type Answered = { readonly code: string; readonly rows: readonly Fields[] };

/** The envelope of an OKX answer; undefined: it is none. */
export const envelopeOf = (answer: RestAnswer | RestMiss): Answered | undefined => {
  if ("miss" in answer || answer.body === undefined) return undefined;
  const { code, data } = answer.body;
  return typeof code === "string" ? { code, rows: Array.isArray(data) ? data.filter(isFields) : [] } : undefined;
};

/** A row of an order query or of the orders channel. */
export const venueOrder = (row: unknown): VenueOrder | undefined => {
  if (!isFields(row)) return undefined;
  const text = (key: string): string => {
    const value = row[key];
    return typeof value === "string" ? value : "";
  };
  if (text("ordId") === "" || text("state") === "") return undefined;
  return {
    ordId: text("ordId"),
    clOrdId: text("clOrdId"),
    instId: text("instId"),
    state: text("state"),
    px: text("px"),
    sz: text("sz"),
    cancelSource: text("cancelSource"),
    uTime: Number(text("uTime")),
  };
};

const UNKNOWN_ORDER: ReadonlySet<string> = new Set(["51603", "51001"]);

// A refusal for the venue's own reasons is no answer: somebody else may know.
const answeredBy = (answer: RestAnswer | RestMiss): Answered | undefined => {
  const envelope = envelopeOf(answer);
  return envelope !== undefined && !NO_ANSWER.has(envelope.code) ? envelope : undefined;
};

const NO_ANSWER: ReadonlySet<string> = new Set(["50001", "50004", "50011", "50013", "50026", "50061"]);
