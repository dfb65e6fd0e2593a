import { classify } from "../../guard/classify.ts";
import type { Protocol } from "../../guard/protocol.ts";
import type { Rules } from "../../guard/rules.ts";
import type { Operation } from "../../plan/model.ts";
import type { OrderOperation } from "../../plan/operations-of.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import type { Exposure } from "./exposure.ts";
import { SAFE } from "./flatten.ts";
import type { Market } from "./market.ts";
import type { OkxVenue, VenueReply } from "./okx-venue.ts";
import type { OrderSockets } from "./order-sockets.ts";
import { lostIfUnknown, outcomeFrom, type ProbeOutcome } from "./probe-outcome.ts";
import type { RateLimits } from "./rate-limits.ts";

export type { ProbeOutcome } from "./probe-outcome.ts";

/** One thing at a time of one account, such as an order: place, amend, cancel, and again. */
export type ProbeChain = {
  /** Chains of one account are never open together. */
  readonly account: { readonly cohort: string };
  readonly isBusy: () => boolean;
  /** Whether it has something that stands, such as an order, or is about to have or to lose it. */
  readonly isOpen: () => boolean;
  /** What it would do next; undefined while it must not: the account's rate limit, no dead-man switch, or too much at stake. */
  readonly next: () => Operation | undefined;
  /** Does it, at `origin`. Never rejects; takes at most two deadlines. */
  step(origin: string): Promise<ProbeOutcome>;
  /** The order was cancelled by somebody else, as the dead-man switch does. */
  forget(): void;
};

export type ChainContext = {
  readonly venue: OkxVenue;
  /** Absent where the environment knows no WebSocket address. */
  readonly sockets?: OrderSockets;
  /** The region's public address: who is asked what became of an order when the instance itself does not say. */
  readonly publicOrigin: string;
  readonly market: () => Market | undefined;
  readonly limits: RateLimits;
  readonly exposure: Exposure;
  readonly rules: Rules;
  readonly deadlineMs: number;
  readonly tag: string;
  readonly newId: () => string;
  /** Whether somebody would cancel an order of the account without us. */
  readonly mayPlace: (account: ProbeAccount) => boolean;
  /** An order that may be open and that nobody follows any more. */
  readonly abandon: (account: ProbeAccount, clOrdId: string) => void;
  /** What the venue tells of an order: somebody may have traded with it. */
  readonly onOrder: (account: ProbeAccount, row: Row) => void;
};

type Row = Readonly<Record<string, unknown>>;
type Order = { readonly clOrdId: string; readonly step: number; readonly isAmended: boolean };
type Fields = Readonly<Record<string, string>>;

/** Where an operation goes, and how. */
type Way = {
  readonly origin: string;
  readonly protocol: Protocol;
  readonly send: (operation: OrderOperation, fields: Fields) => Promise<VenueReply>;
};

/** `seat`: its place among the chains of a region, so that half of them trade over WebSocket at any time. */
export const probeChain = (account: ProbeAccount, context: ChainContext, seat = 0): ProbeChain => {
  const { venue, limits, rules, deadlineMs } = context;
  let order: Order | undefined;
  let isBusy = false;
  let orders = seat;
  const wanted = (): OrderOperation => (order === undefined ? "order" : order.isAmended ? "cancel" : "amend");

  const rest = (origin: string, market: Market): Way => ({
    origin,
    protocol: "REST",
    send: (operation, fields) =>
      venue.call(
        origin,
        { method: "POST", target: TARGETS[operation], body: { instId: market.instId, ...fields }, account },
        deadlineMs,
      ),
  });
  /** Over WebSocket in its turn, once a connection is there; until then over REST. */
  const wayTo = (origin: string, market: Market): Way => {
    const socket = isSocketTurn(orders) ? context.sockets?.at(account, origin) : undefined;
    if (socket === undefined) return rest(origin, market);
    // Nothing could be sent: the connection was refused, as it would be to a user.
    if (!("send" in socket)) return { origin, protocol: "WebSocket", send: () => Promise.resolve(socket) };
    const { instId, instIdCode } = market;
    const named = instIdCode === undefined ? { instId } : { instIdCode };
    return {
      origin,
      protocol: "WebSocket",
      send: (operation, fields) => socket.send(operation, { ...named, ...fields }, deadlineMs),
    };
  };

  const place = async (way: Way, market: Market): Promise<ProbeOutcome> => {
    const clOrdId = context.newId();
    context.exposure.add(clOrdId, market);
    const reply = await way.send("order", {
      tdMode: "cash",
      side: "buy",
      ordType: "post_only",
      px: market.px(0),
      sz: market.sz,
      clOrdId,
      tag: context.tag,
      ...SAFE,
    });
    const outcome = outcomeOf("order", reply, rules, way.origin !== context.publicOrigin);
    if (outcome.kind === "ok") order = { clOrdId, step: 0, isAmended: false };
    // Whoever did not refuse it may have booked it.
    else if (mayRest(reply, rules)) context.abandon(account, clOrdId);
    else context.exposure.remove(clOrdId);
    return outcome;
  };

  const amend = async (way: Way, market: Market, { clOrdId, step }: Order): Promise<ProbeOutcome> => {
    order = { clOrdId, step: step + 1, isAmended: true };
    const newPx = market.px(step + 1);
    const reply = await way.send("amend", { clOrdId, newPx });
    const outcome = lostOutcomeOf("amend", reply, rules, way.origin !== context.publicOrigin);
    const done =
      outcome.kind === "ok"
        ? await shown(way.origin, market, clOrdId, outcome, (row) => Number(row["px"]) === Number(newPx))
        : await unlessFilled(market, clOrdId, outcome);
    if (isFilled(done)) give(clOrdId);
    return done;
  };

  const cancel = async (way: Way, market: Market, { clOrdId }: Order): Promise<ProbeOutcome> => {
    order = undefined;
    const reply = await way.send("cancel", { clOrdId });
    const outcome = lostOutcomeOf("cancel", reply, rules, way.origin !== context.publicOrigin);
    const done =
      outcome.kind === "ok"
        ? await shown(way.origin, market, clOrdId, outcome, (row) => row["state"] === "canceled")
        : await unlessFilled(market, clOrdId, outcome);
    if (done.kind === "ok") context.exposure.remove(clOrdId);
    else give(clOrdId);
    return done;
  };

  /** Nobody follows it any more; it is cancelled, and its end looked at. */
  const give = (clOrdId: string): void => {
    if (order?.clOrdId === clOrdId) order = undefined;
    context.abandon(account, clOrdId);
  };

  /** An acknowledgement says that a request was taken in. Only the order's state says that it was executed. */
  const shown = async (
    origin: string,
    market: Market,
    clOrdId: string,
    acknowledged: ProbeOutcome,
    isShown: (row: Row) => boolean,
  ): Promise<ProbeOutcome> => {
    const until = performance.now() + deadlineMs;
    for (let attempt = 0; ; attempt++) {
      const left = until - performance.now();
      if (left <= 0 || !limits.take(account.apiKey, "query"))
        return { ...acknowledged, kind: "failed", code: "not shown", isReached: true };
      // The instance itself may be leaving; its order is in the venue all the same.
      const row = await query(
        attempt === 0 ? origin : context.publicOrigin,
        market,
        clOrdId,
        attempt === 0 ? left / 2 : left,
      );
      if (row !== undefined && isShown(row)) return acknowledged;
      if (row?.["state"] === "filled") return filled(acknowledged);
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };

  /** The venue does not know our resting order: state was lost, unless somebody has traded with it, or the venue's rules for post-only and self-trade cancelled it. */
  const unlessFilled = async (market: Market, clOrdId: string, outcome: ProbeOutcome): Promise<ProbeOutcome> => {
    if (outcome.kind !== "failed" || !rules.lostState.includes(outcome.code)) return outcome;
    if (!limits.take(account.apiKey, "query")) return outcome;
    const row = await query(context.publicOrigin, market, clOrdId, deadlineMs);
    if (Number(row?.["accFillSz"]) > 0) return filled(outcome);
    const isRule = row?.["state"] === "canceled" && OWN_RULES.has(row["cancelSource"]);
    return isRule
      ? {
          operation: outcome.operation,
          kind: "none",
          isRefused: false,
          why: "the venue cancelled a probe order by a rule of its own",
        }
      : outcome;
  };

  const query = async (origin: string, market: Market, clOrdId: string, withinMs: number): Promise<Row | undefined> => {
    const target = `/api/v5/trade/order?instId=${encodeURIComponent(market.instId)}&clOrdId=${clOrdId}`;
    const reply = await venue.call(origin, { method: "GET", target, account }, withinMs);
    const row = "transport" in reply ? undefined : reply.rows[0];
    if (row !== undefined) context.onOrder(account, row);
    return row;
  };

  const step = async (origin: string): Promise<ProbeOutcome> => {
    const [operation, market] = [wanted(), context.market()];
    if (market === undefined)
      return { operation, kind: "none", why: "the instrument is not known yet", isRefused: false };
    limits.take(account.apiKey, operation);
    if (order === undefined) orders++;
    const way = wayTo(origin, market);
    const done =
      order === undefined
        ? await place(way, market)
        : order.isAmended
          ? await cancel(way, market, order)
          : await amend(way, market, order);
    return { ...done, protocol: way.protocol };
  };

  return {
    account,
    isBusy: () => isBusy,
    isOpen: () => isBusy || order !== undefined,
    next() {
      const [operation, market] = [wanted(), context.market()];
      const mayPlace = (): boolean =>
        context.mayPlace(account) && (market === undefined || context.exposure.trouble(market) === undefined);
      const isAllowed =
        limits.has(account.apiKey, operation) &&
        (operation === "order" ? mayPlace() : limits.has(account.apiKey, "query"));
      return isAllowed ? operation : undefined;
    },
    async step(origin) {
      isBusy = true;
      try {
        return await step(origin);
      } finally {
        isBusy = false;
      }
    },
    forget() {
      if (order !== undefined) context.abandon(account, order.clOrdId);
      order = undefined;
    },
  };
};

const PAUSE_MS = 10;
const TARGETS: Readonly<Record<OrderOperation, string>> = {
  order: "/api/v5/trade/order",
  amend: "/api/v5/trade/amend-order",
  cancel: "/api/v5/trade/cancel-order",
};

/**
 * Every other order goes over WebSocket. Every fourth time the turns are swapped: probes are pinned in a rhythm of four,
 * and each side of an upgrade shall see each operation over both protocols.
 */
const isSocketTurn = (orders: number): boolean => (orders + Math.floor(orders / 4)) % 2 === 1;

/** `cancelSource`: it would have taken, or traded with an order of the same owner. */
const OWN_RULES: ReadonlySet<unknown> = new Set(["31", "32"]);

/** Somebody traded with the probe: that says nothing about the venue. */
const FILLED = "somebody traded with a probe order";
const filled = ({ operation }: ProbeOutcome): ProbeOutcome => ({
  operation,
  kind: "none",
  isRefused: false,
  why: FILLED,
});
const isFilled = (outcome: ProbeOutcome): boolean => outcome.kind === "none" && outcome.why === FILLED;

/** `isDirect`: an instance was asked, so whoever answered with a code is that instance. */
const outcomeOf = (operation: OrderOperation, reply: VenueReply, rules: Rules, isDirect: boolean): ProbeOutcome => {
  const served =
    "transport" in reply
      ? {}
      : {
          ...(reply.isClosing === undefined ? {} : { isClosing: reply.isClosing }),
          ...(reply.release === undefined ? {} : { release: reply.release }),
          ...(reply.instance === undefined ? {} : { instance: reply.instance }),
        };
  const isReached = "instance" in served || (isDirect && "code" in reply && reply.code !== undefined);
  return outcomeFrom({ operation, code: codeOf(reply), classified: classify(reply, rules), rules, isReached, served });
};

/** Our own resting order is unknown: state was lost, whatever class the code has for users. */
const lostOutcomeOf = (operation: OrderOperation, reply: VenueReply, rules: Rules, isDirect: boolean): ProbeOutcome =>
  lostIfUnknown(outcomeOf(operation, reply, rules, isDirect), codeOf(reply), rules);

const mayRest = (reply: VenueReply, rules: Rules): boolean => {
  if ("transport" in reply) return reply.transport !== "refused";
  const { outcome } = classify(reply, rules);
  return outcome === "service" || outcome === "ambiguous";
};

/** Code of the row or envelope, else what stood in its place. */
const codeOf = (reply: VenueReply): string =>
  "transport" in reply ? reply.transport : (reply.code ?? `HTTP ${reply.http}`);
