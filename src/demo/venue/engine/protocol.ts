/**
 * What a gateway and the matching engine say to each other: one JSON object per line over TCP.
 *
 * A request carries `rid`, unique per connection; the reply repeats it. Events have no `rid`.
 * Prices and sizes are decimal strings, as in the OKX V5 API; times are milliseconds since the epoch.
 */
export type Side = "buy" | "sell";
export type OrderType = "limit" | "market" | "post_only" | "ioc" | "fok";
export type OrderState = "live" | "partially_filled" | "filled" | "canceled";

/** An order as the engine keeps it. `ordId` has 18 digits and stays a string. */
export type EngineOrder = {
  readonly ordId: string;
  readonly clOrdId: string;
  readonly uid: string;
  readonly instId: string;
  readonly side: Side;
  readonly ordType: OrderType;
  readonly tdMode: string;
  readonly tag: string;
  readonly px: string;
  readonly sz: string;
  readonly accFillSz: string;
  readonly avgPx: string;
  readonly fillPx: string;
  readonly fillSz: string;
  readonly fillTime: number;
  readonly tradeId: string;
  readonly state: OrderState;
  /** OKX `cancelSource`: "1" user, "14" IOC, "13" FOK, "20" cancel-all-after, "31" post-only would take; "" while not cancelled. */
  readonly cancelSource: string;
  readonly cTime: number;
  readonly uTime: number;
};

export type EngineRequest =
  | { readonly rid: number; readonly op: "hello"; readonly gateway: string }
  | {
      readonly rid: number;
      readonly op: "place";
      readonly uid: string;
      readonly instId: string;
      readonly side: Side;
      readonly ordType: OrderType;
      readonly tdMode: string;
      readonly px: string;
      readonly sz: string;
      readonly clOrdId: string;
      readonly tag: string;
      /** Not processed once the engine's clock is past it (ms); OKX `expTime`. */
      readonly expTime?: number;
    }
  | {
      readonly rid: number;
      readonly op: "amend";
      readonly uid: string;
      readonly instId: string;
      readonly ordId?: string;
      readonly clOrdId?: string;
      readonly newSz?: string;
      readonly newPx?: string;
      readonly reqId?: string;
      readonly cxlOnFail?: boolean;
      readonly expTime?: number;
    }
  | {
      readonly rid: number;
      readonly op: "cancel";
      readonly uid: string;
      readonly instId: string;
      readonly ordId?: string;
      readonly clOrdId?: string;
    }
  | {
      readonly rid: number;
      readonly op: "cancel-all-after";
      readonly uid: string;
      readonly timeOutSec: number;
      readonly tag: string;
    }
  | {
      readonly rid: number;
      readonly op: "order";
      readonly uid: string;
      readonly instId: string;
      readonly ordId?: string;
      readonly clOrdId?: string;
    }
  | {
      readonly rid: number;
      readonly op: "pending";
      readonly uid: string;
      readonly instId?: string;
      readonly limit: number;
    }
  | { readonly rid: number; readonly op: "book"; readonly instId: string; readonly depth: number }
  | { readonly rid: number; readonly op: "ticker"; readonly instId: string }
  | { readonly rid: number; readonly op: "balance"; readonly uid: string }
  | { readonly rid: number; readonly op: "status" }
  /**
   * Streams the events of all users; gateways fan them out to their sockets. `after`: begin with what happened after
   * this `seq`, as far as it is remembered, so that a follower loses nothing in a takeover.
   */
  | { readonly rid: number; readonly op: "follow"; readonly after?: number };

/** `code` is an OKX V5 `sCode`: "0" ok; 51400/51503/51603 order unknown or done; 51008 balance; 51016 duplicate clOrdId. */
export type EngineReply = {
  readonly rid: number;
  readonly code: string;
  readonly msg: string;
  readonly order?: EngineOrder;
  readonly orders?: readonly EngineOrder[];
  /** `[price, size, order count]`, best first. */
  readonly book?: {
    readonly bids: readonly Level[];
    readonly asks: readonly Level[];
    readonly seqId: number;
    readonly ts: number;
  };
  readonly ticker?: { readonly last: string; readonly lastSz: string; readonly vol24h: string; readonly ts: number };
  readonly balances?: readonly { readonly ccy: string; readonly available: string; readonly frozen: string }[];
  readonly triggerTime?: number;
  readonly status?: EngineStatus;
};

export type Level = readonly [string, string, number];

/** `role` "fenced": saw a higher epoch, refuses everything with 50001. */
export type EngineStatus = {
  readonly name: string;
  readonly role: "active" | "standby" | "fenced";
  readonly epoch: number;
  readonly lastSeq: number;
  readonly peerConnected: boolean;
};

/** `seq` numbers the log entry that an event came from: several may share one, and it grows over takeovers. */
export type EngineEvent =
  | {
      readonly event: "order-update";
      readonly seq?: number;
      readonly order: EngineOrder;
      readonly reason: "place" | "amend" | "cancel" | "fill";
      readonly reqId?: string;
    }
  | {
      readonly event: "trade";
      readonly seq?: number;
      readonly instId: string;
      readonly px: string;
      readonly sz: string;
      readonly side: Side;
      readonly tradeId: string;
      readonly ts: number;
    };

/** A reply with code "50001" means: this engine is not active, nothing was processed; ask the other one. */
export const NOT_ACTIVE = "50001";

/** A reply with this code means: it may or may not have been processed, and no better answer will come from here. */
export const OUTCOME_UNKNOWN = "51149";

/** Sent to everybody who is connected when an engine becomes the active one. */
export type ActiveNotice = { readonly event: "active"; readonly epoch: number };
