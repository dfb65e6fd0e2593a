import { classify } from "../../guard/classify.ts";
import type { ProbeFill } from "../../guard/probe-fill.ts";
import type { Rules } from "../../guard/rules.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import { inLots, type Market } from "./market.ts";
import type { VenueReply, VenueRequest } from "./okx-venue.ts";
import type { OurOrders } from "./open-orders.ts";

/**
 * Sells again what a probe order bought by accident: exactly that, and once. Each attempt is an order that takes what is there and rests never,
 * with an id of its own that follows from the probe's: whoever comes after a crash asks for that id before he sells.
 */
export type Flattener = {
  /** Looks at what the venue tells of an order of ours. */
  readonly see: (account: ProbeAccount, row: Row) => void;
  /** Asks how an order ended that should rest no more, and sees to what it bought. False: nobody can tell yet. Never rejects. */
  check(account: ProbeAccount, clOrdId: string): Promise<boolean>;
  /** Looks for what probes of an earlier process bought. */
  recall(): Promise<void>;
  /** Begins no further attempt, and waits for those under way, at most so long. */
  stop(mostMs: number): Promise<void>;
};

type Row = Readonly<Record<string, unknown>>;

export type FlattenOptions = OurOrders & {
  readonly region: string;
  readonly tag: string;
  readonly rules: Rules;
  /** An order that was traded with in part: the rest of it shall be cancelled. */
  readonly onPart: (account: ProbeAccount, clOrdId: string) => void;
  /** `isHeld`: what it bought is not sold yet. */
  readonly onFill: (fill: ProbeFill, isHeld: boolean) => void;
  /** How long after the fill, and after the attempt before, each attempt is made. */
  readonly attemptsMs?: readonly number[];
};

/** A letter that ids of probes don't end with, and how long to wait before. */
export const SUFFIXES = ["F", "G", "H", "I"] as const;
export const ATTEMPTS_MS = [0, 2_000, 10_000, 30_000];
/** At first nothing is sold where bids of other probes may still lie; later these have followed the market. */
const FIRST_ATTEMPTS = 2;
const CALL_MS = 1_000;
const SALE_MS = 10_000;
const PAUSE_MS = 200;
/** The venue drops a sale that reaches it later than this, so that one that nobody answered cannot come true after it was sent again. */
export const EXPIRES_MS = 2_000;
const SKEW_MS = 1_000;

export const flattener = (options: FlattenOptions): Flattener => {
  const { venue, origins, instrument } = options;
  const attemptsMs = options.attemptsMs ?? ATTEMPTS_MS;
  const sales = new Map<string, Promise<void>>();
  const stopped = Promise.withResolvers<void>();
  let isStopped = false;

  /** From whoever answers first. */
  const ask = async (request: VenueRequest): Promise<VenueReply> => {
    let reply: VenueReply = { transport: "refused" };
    for (const origin of origins) {
      reply = await venue.call(origin, request, CALL_MS);
      const isSafe = request.method === "GET" || ("transport" in reply && reply.transport === "refused");
      if (!("transport" in reply) || !isSafe) break;
    }
    return reply;
  };
  const orderOf = async (account: ProbeAccount, clOrdId: string): Promise<Row | "absent" | undefined> => {
    const target = `/api/v5/trade/order?instId=${encodeURIComponent(instrument)}&clOrdId=${clOrdId}`;
    const reply = await ask({ method: "GET", target, account });
    if ("transport" in reply) return undefined;
    return reply.code === UNKNOWN_ORDER ? "absent" : reply.code === "0" ? reply.rows[0] : undefined;
  };
  const pause = async (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, stopped.promise]);
    clearTimeout(timer);
  };

  /** How much the order with this id sold; sends it unless it is there. A text: why it came to nothing. */
  const sellOnce = async (
    account: ProbeAccount,
    sale: Readonly<Record<"clOrdId" | "sz" | "px", string>>,
  ): Promise<number | string> => {
    const until = performance.now() + SALE_MS;
    let unsureUntil = -Infinity;
    while (performance.now() < until) {
      const known = await orderOf(account, sale.clOrdId);
      if (typeof known === "object" && isFinal(known)) return numberIn(known, "accFillSz");
      if (known === "absent" && performance.now() >= unsureUntil) {
        const reply = await ask({
          method: "POST",
          target: "/api/v5/trade/order",
          body: {
            ...sale,
            instId: instrument,
            tdMode: "cash",
            side: "sell",
            ordType: "ioc",
            ...SAFE,
            tag: options.tag,
          },
          account,
          expiresAt: Date.now() + EXPIRES_MS,
        });
        const refusal = refusalOf(reply, options.rules);
        if (refusal.kind === "final") return refusal.why;
        if (refusal.kind === "unclear") unsureUntil = performance.now() + EXPIRES_MS + SKEW_MS;
      }
      if (isStopped && known === undefined) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return "the venue does not say what became of it";
  };

  const sell = async (account: ProbeAccount, market: Market, row: Row, waitMs: number): Promise<void> => {
    const [clOrdId, px] = [textIn(row, "clOrdId"), textIn(row, "px")];
    const fee = row["feeCcy"] === instrument.split("-")[0] ? Math.min(0, numberIn(row, "fee")) : 0;
    const size = inLots(numberIn(row, "accFillSz") + fee, market.lotSz);
    const { cohort } = account;
    const told = { region: options.region, cohort, clOrdId, instrument, size, px };
    let [sold, why] = [0, "nobody bought it"];
    options.onFill({ ...told, sold: inLots(0, market.lotSz), state: "selling" }, true);
    await pause(waitMs);
    for (const [index, suffix] of SUFFIXES.entries()) {
      await pause(attemptsMs[index] ?? 0);
      if (isStopped && (index > 0 || waitMs > 0)) {
        why = "the guard was stopped";
        break;
      }
      const sellPx = (options.market() ?? market).sellPx(index < FIRST_ATTEMPTS ? Number(px) : 0);
      const sz = inLots(Number(size) - sold, market.lotSz);
      const outcome = await sellOnce(account, { clOrdId: `${clOrdId}${suffix}`, sz, px: sellPx });
      if (typeof outcome === "number") sold += outcome;
      else why = outcome;
      if (Number(size) - sold < Number(market.lotSz) / 2)
        return options.onFill({ ...told, sold: size, state: "sold" }, false);
    }
    options.onFill({ ...told, sold: inLots(sold, market.lotSz), state: "kept", why }, true);
  };

  const see = (account: ProbeAccount, row: Row, waitMs = 0): void => {
    const clOrdId = textIn(row, "clOrdId");
    if (!clOrdId.startsWith(options.prefix) || row["side"] === "sell" || !(numberIn(row, "accFillSz") > 0)) return;
    if (!isFinal(row)) return options.onPart(account, clOrdId);
    const market = options.market();
    if (market === undefined || sales.has(clOrdId)) return;
    sales.set(clOrdId, sell(account, market, row, waitMs));
  };

  const recallOf = async (account: ProbeAccount): Promise<void> => {
    const target = `/api/v5/trade/fills?instType=SPOT&instId=${encodeURIComponent(instrument)}`;
    const reply = await ask({ method: "GET", target, account });
    // A venue that does not know the question leaves what a killed process bought to whoever reads its account.
    if ("transport" in reply || reply.code !== "0") return;
    const bought = reply.rows.filter((row) => row["side"] === "buy").map((row) => textIn(row, "clOrdId"));
    for (const clOrdId of new Set(bought.filter((id) => id.startsWith(options.prefix)))) {
      const known = await orderOf(account, clOrdId);
      if (typeof known === "object") see(account, known, EXPIRES_MS + SKEW_MS);
    }
  };

  return {
    see: (account, row) => see(account, row),
    async check(account, clOrdId) {
      const known = await orderOf(account, clOrdId);
      if (known === undefined || options.market() === undefined) return false;
      if (known !== "absent" && !isFinal(known)) return false;
      if (known !== "absent") see(account, known);
      return true;
    },
    async recall() {
      await Promise.all(options.accounts.map((account) => recallOf(account)));
    },
    async stop(mostMs) {
      isStopped = true;
      stopped.resolve();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, mostMs);
      await Promise.race([Promise.all(sales.values()), late.promise]);
      clearTimeout(timer);
    },
  };
};

/** What protects an order from trading with another one of the same owner. */
export const SAFE = { stpMode: "cancel_maker" } as const;

const UNKNOWN_ORDER = "51603";
const FINAL: ReadonlySet<unknown> = new Set(["filled", "canceled", "mmp_canceled"]);
const isFinal = (row: Row): boolean => FINAL.has(row["state"]);

const textIn = (row: Row, name: string): string => {
  const value = row[name];
  return typeof value === "string" ? value : "";
};
const numberIn = (row: Row, name: string): number => Number(textIn(row, name));

type Refusal = { readonly kind: "none" | "unclear" } | { readonly kind: "final"; readonly why: string };

/** `none`: certainly not processed, and may be sent again. */
const refusalOf = (reply: VenueReply, rules: Rules): Refusal => {
  const { outcome } = classify(reply, rules);
  switch (outcome) {
    case "ok":
    case "ambiguous":
    case "planned":
      return { kind: "unclear" };
    case "service":
      return "transport" in reply ? { kind: "none" } : { kind: "unclear" };
    case "rate":
      return { kind: "none" };
    case "maintenance":
    case "auth":
    case "business":
      return { kind: "final", why: `refused with ${"transport" in reply ? reply.transport : reply.code}` };
  }
};
