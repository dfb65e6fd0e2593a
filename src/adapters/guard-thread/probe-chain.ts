import { classify } from "../../guard/classify.ts";
import type { Rules } from "../../guard/rules.ts";
import type { Operation } from "../../plan/model.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import type { Market } from "./market.ts";
import type { OkxVenue, VenueReply } from "./okx-venue.ts";
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
  /** What it would do next; undefined while it must not: the account's rate limit, or no dead-man switch. */
  readonly next: () => Operation | undefined;
  /** Does it, at `origin`. Never rejects; takes at most two deadlines. */
  step(origin: string): Promise<ProbeOutcome>;
  /** The order was cancelled by somebody else, as the dead-man switch does. */
  forget(): void;
};

export type ChainContext = {
  readonly venue: OkxVenue;
  /** The region's public address: who is asked what became of an order when the instance itself does not say. */
  readonly publicOrigin: string;
  readonly market: () => Market | undefined;
  readonly limits: RateLimits;
  readonly rules: Rules;
  readonly deadlineMs: number;
  readonly tag: string;
  readonly newId: () => string;
  /** Whether somebody would cancel an order of the account without us. */
  readonly mayPlace: (account: ProbeAccount) => boolean;
  /** An order that may be open and that nobody follows any more. */
  readonly abandon: (account: ProbeAccount, clOrdId: string) => void;
};

type Order = { readonly clOrdId: string; readonly step: number; readonly isAmended: boolean };

export const probeChain = (account: ProbeAccount, context: ChainContext): ProbeChain => {
  const { venue, limits, rules, deadlineMs } = context;
  let order: Order | undefined;
  let isBusy = false;
  const wanted = (): Operation => (order === undefined ? "order" : order.isAmended ? "cancel" : "amend");

  const post = (origin: string, target: string, body: Readonly<Record<string, string>>): Promise<VenueReply> =>
    venue.call(origin, { method: "POST", target, body, account }, deadlineMs);

  const place = async (origin: string, market: Market): Promise<ProbeOutcome> => {
    const clOrdId = context.newId();
    const reply = await post(origin, "/api/v5/trade/order", {
      instId: market.instId,
      tdMode: "cash",
      side: "buy",
      ordType: "post_only",
      px: market.px(0),
      sz: market.sz,
      clOrdId,
      tag: context.tag,
    });
    const outcome = outcomeOf("order", reply, rules, origin !== context.publicOrigin);
    if (outcome.kind === "ok") order = { clOrdId, step: 0, isAmended: false };
    // Whoever did not refuse it may have booked it.
    else if (mayRest(reply, rules)) context.abandon(account, clOrdId);
    return outcome;
  };

  const amend = async (origin: string, market: Market, { clOrdId, step }: Order): Promise<ProbeOutcome> => {
    order = { clOrdId, step: step + 1, isAmended: true };
    const newPx = market.px(step + 1);
    const reply = await post(origin, "/api/v5/trade/amend-order", { instId: market.instId, clOrdId, newPx });
    const outcome = lostOutcomeOf("amend", reply, rules, origin !== context.publicOrigin);
    return outcome.kind === "ok"
      ? shown(origin, market, clOrdId, outcome, (row) => Number(row["px"]) === Number(newPx))
      : outcome;
  };

  const cancel = async (origin: string, market: Market, { clOrdId }: Order): Promise<ProbeOutcome> => {
    order = undefined;
    const reply = await post(origin, "/api/v5/trade/cancel-order", { instId: market.instId, clOrdId });
    const outcome = lostOutcomeOf("cancel", reply, rules, origin !== context.publicOrigin);
    const done =
      outcome.kind === "ok"
        ? await shown(origin, market, clOrdId, outcome, (row) => row["state"] === "canceled")
        : outcome;
    if (done.kind !== "ok") context.abandon(account, clOrdId);
    return done;
  };

  /** An acknowledgement says that a request was taken in. Only the order's state says that it was executed. */
  const shown = async (
    origin: string,
    market: Market,
    clOrdId: string,
    acknowledged: ProbeOutcome,
    isShown: (row: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<ProbeOutcome> => {
    const until = performance.now() + deadlineMs;
    const target = `/api/v5/trade/order?instId=${encodeURIComponent(market.instId)}&clOrdId=${clOrdId}`;
    for (let attempt = 0; ; attempt++) {
      const left = until - performance.now();
      if (left <= 0 || !limits.take(account.apiKey, "query"))
        return { ...acknowledged, kind: "failed", code: "not shown", isReached: true };
      // The instance itself may be leaving; its order is in the venue all the same.
      const reply = await venue.call(
        attempt === 0 ? origin : context.publicOrigin,
        { method: "GET", target, account },
        attempt === 0 ? left / 2 : left,
      );
      const row = "transport" in reply ? undefined : reply.rows[0];
      if (row !== undefined && isShown(row)) return acknowledged;
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };

  const step = async (origin: string): Promise<ProbeOutcome> => {
    const [operation, market] = [wanted(), context.market()];
    if (market === undefined) return { operation, kind: "none", why: "the instrument is not known yet" };
    limits.take(account.apiKey, operation);
    if (order === undefined) return place(origin, market);
    return order.isAmended ? cancel(origin, market, order) : amend(origin, market, order);
  };

  return {
    account,
    isBusy: () => isBusy,
    isOpen: () => isBusy || order !== undefined,
    next() {
      const operation = wanted();
      const isAllowed =
        limits.has(account.apiKey, operation) &&
        (operation === "order" ? context.mayPlace(account) : limits.has(account.apiKey, "query"));
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

/** `isDirect`: an instance was asked, so whoever answered with a code is that instance. */
const outcomeOf = (operation: Operation, reply: VenueReply, rules: Rules, isDirect: boolean): ProbeOutcome => {
  const served =
    "transport" in reply
      ? {}
      : {
          isClosing: reply.isClosing,
          ...(reply.release === undefined ? {} : { release: reply.release }),
          ...(reply.instance === undefined ? {} : { instance: reply.instance }),
        };
  const isReached = "instance" in served || (isDirect && "code" in reply && reply.code !== undefined);
  return outcomeFrom({ operation, code: codeOf(reply), classified: classify(reply, rules), rules, isReached, served });
};

/** Our own resting order is unknown: state was lost, whatever class the code has for users. */
const lostOutcomeOf = (operation: Operation, reply: VenueReply, rules: Rules, isDirect: boolean): ProbeOutcome =>
  lostIfUnknown(outcomeOf(operation, reply, rules, isDirect), codeOf(reply), rules);

const mayRest = (reply: VenueReply, rules: Rules): boolean => {
  if ("transport" in reply) return reply.transport !== "refused";
  const { outcome } = classify(reply, rules);
  return outcome === "service" || outcome === "ambiguous";
};

/** Code of the row or envelope, else what stood in its place. */
const codeOf = (reply: VenueReply): string =>
  "transport" in reply ? reply.transport : (reply.code ?? `HTTP ${reply.http}`);
