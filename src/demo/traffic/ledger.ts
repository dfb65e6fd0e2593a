import type { Operation } from "./outcome.ts";

/** Price and size, as decimal strings. */
export type Values = { readonly px: string; readonly sz: string };

/** What an amend asks for: the one of both that it names. */
export type Amend = { readonly changed: "px" | "sz"; readonly values: Values };

/** An order as the venue shows it, in a query or on the orders channel. */
export type VenueOrder = Values & {
  readonly ordId: string;
  readonly clOrdId: string;
  readonly instId: string;
  readonly state: string;
  readonly cancelSource: string;
  /** ms since the epoch. */
  readonly uTime: number;
};

/** What the user knows about one of his orders. Mutable: it is the ledger's own record. */
export type LedgerOrder = {
  readonly uid: string;
  readonly clOrdId: string;
  readonly instId: string;
  readonly side: "buy" | "sell";
  /** Whether it stays in the book when it does not trade at once. */
  readonly rests: boolean;
  ordId: string;
  /** `unsure`: no definite answer came. `found`: none came, but the venue has shown the order. */
  placed: "asked" | "acknowledged" | "unsure" | "found" | "refused";
  cancel: "none" | "acknowledged" | "unsure";
  /** Stand since the last acknowledgement. */
  values: Values;
  /** What unsure amends may have made of it. */
  readonly possible: Values[];
  /** Amends without an answer: each may still be on its way, and land after one that was acknowledged later. */
  readonly unsureAmends: Amend[];
  /** The newest state the venue has shown. */
  seen: VenueOrder | undefined;
  /** An operation or a look-up is under way; nothing else is sent for it meanwhile. */
  isBusy: boolean;
  /** The venue said that it does not know the order. */
  isMissing: boolean;
};

/** An operation whose effect was unknown, and what asking brought. */
export type Unsure = {
  readonly op: Operation;
  readonly order: LedgerOrder;
  /** What an order or amend asked for. */
  readonly values: Values | undefined;
  /** The user spoilt it himself. */
  readonly isPlanted: boolean;
  landed: boolean | undefined;
};

/** Follows every order of the run, from its first request to its final state. */
export type Ledger = {
  open(order: Pick<LedgerOrder, "uid" | "clOrdId" | "instId" | "side" | "rests" | "values">): LedgerOrder;
  /** Orders that rest as far as the user knows, and that nothing is under way for. */
  idle(uid: string): readonly LedgerOrder[];
  /** Orders that rest or may soon. */
  load(uid: string): number;
  /** Takes in what the venue showed; older news is dropped. */
  show(order: VenueOrder): LedgerOrder | undefined;
  unsure(given: Omit<Unsure, "landed">): Unsure;
  readonly all: () => readonly LedgerOrder[];
  readonly unsureOnes: () => readonly Unsure[];
};

export const createLedger = (): Ledger => {
  const all: LedgerOrder[] = [];
  const unsureOnes: Unsure[] = [];
  const byClOrdId = new Map<string, LedgerOrder>();
  // Only what may still rest, or picking an order would get slower with every order placed.
  const active = new Map<string, LedgerOrder[]>();
  const activeOf = (uid: string): readonly LedgerOrder[] => {
    const kept = (active.get(uid) ?? []).filter((order) => !isOver(order));
    active.set(uid, kept);
    return kept;
  };
  return {
    open(given) {
      const order: LedgerOrder = {
        ...given,
        ordId: "",
        placed: "asked",
        cancel: "none",
        possible: [],
        unsureAmends: [],
        seen: undefined,
        isBusy: true,
        isMissing: false,
      };
      all.push(order);
      byClOrdId.set(order.clOrdId, order);
      active.set(order.uid, [...activeOf(order.uid), order]);
      return order;
    },
    idle: (uid) => activeOf(uid).filter((order) => !order.isBusy && isPlaced(order)),
    load: (uid) => activeOf(uid).filter((order) => order.rests).length,
    show(shown) {
      const order = byClOrdId.get(shown.clOrdId);
      if (order === undefined) return undefined;
      if (isNews(order.seen, shown)) order.seen = shown;
      if (order.ordId === "") order.ordId = shown.ordId;
      if (order.placed === "unsure") order.placed = "found";
      return order;
    },
    unsure(given) {
      const one: Unsure = { ...given, landed: undefined };
      unsureOnes.push(one);
      return one;
    },
    all: () => all,
    unsureOnes: () => unsureOnes,
  };
};

/** Whether the order is out of the book: the venue showed it, or acknowledged its cancel, or never took it. */
export const isOver = (order: LedgerOrder): boolean =>
  order.placed === "refused" ||
  order.cancel === "acknowledged" ||
  order.isMissing ||
  isEnd(order.seen?.state) ||
  (!order.rests && !order.isBusy) ||
  isLostSight(order);

export const isEnd = (state: string | undefined): boolean =>
  state === "filled" || state === "canceled" || state === "mmp_canceled";

export const amended = (values: Values, { changed, values: asked }: Amend): Values =>
  changed === "px" ? { ...values, px: asked.px } : { ...values, sz: asked.sz };

/** What values may be once any of these amends lands after all. */
export const mayBecome = (values: Values, amends: readonly Amend[]): readonly Values[] =>
  amends
    .reduce<readonly Values[]>((all, amend) => [...all, ...all.map((one) => amended(one, amend))], [values])
    .slice(1);

export const sameValues = (left: Values, right: Values): boolean =>
  sameNumber(left.px, right.px) && sameNumber(left.sz, right.sz);

/** "60000" and "60000.0" are the same price. */
export const sameNumber = (left: string, right: string): boolean => left === right || Number(left) === Number(right);

// Two sockets tell the same twice, and an order that has ended stays so.
const isNews = (seen: VenueOrder | undefined, shown: VenueOrder): boolean =>
  seen === undefined ||
  shown.uTime > seen.uTime ||
  (shown.uTime === seen.uTime && (!isEnd(seen.state) || isEnd(shown.state)));

const isPlaced = (order: LedgerOrder): boolean => order.placed === "acknowledged" || order.placed === "found";

// Asked for and not shown: the final check asks again, until then nothing more is tried on it.
const isLostSight = (order: LedgerOrder): boolean => order.placed === "unsure" && !order.isBusy;
