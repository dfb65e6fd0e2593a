/** An instrument as the gateway trades it. Sizes and prices are decimal strings, bands are percent of the last trade. */
export type Instrument = {
  readonly instId: string;
  readonly instIdCode: number;
  readonly instType: string;
  readonly baseCcy: string;
  readonly quoteCcy: string;
  readonly tickSz: string;
  readonly lotSz: string;
  readonly minSz: string;
  readonly maxLmtSz: string;
  readonly state: string;
  /** How far below the last trade a limit price may lie. */
  readonly lowerPct: string;
  /** How far above the last trade a limit price may lie. */
  readonly upperPct: string;
};

export type Instruments = readonly Instrument[];

/** What an operation must know of its user before it may pass. */
export type AccountState = {
  readonly uid: string;
  readonly shard: number;
  readonly status: string;
  readonly tier: string;
  readonly makerFee: string;
  readonly takerFee: string;
  /** The engine group that serves the account's shard. */
  readonly engine: string;
};

/**
 * An answer of the metadata store. `missing`: a row that must be there is not. `broken`: the store refused the
 * statement, as when a column is gone. `down`: it could not be asked in time.
 */
export type Found<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "missing" }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "down"; readonly reason: string };

/** The metadata that a gateway needs. No call rejects. */
export interface Metadata {
  /** The account with its fee tier and its route. Read for every operation, never cached. */
  account(uid: string): Promise<Found<AccountState>>;
  /** All instruments, at most 250 ms old. */
  instruments(): Promise<Found<Instruments>>;
  /** The leverage that the user set; "1" unless set. */
  leverage(uid: string): Promise<Found<string>>;
  setLeverage(uid: string, lever: string): Promise<Found<string>>;
  close(): Promise<void>;
}

/** The code of an answer that is not there: the store is out of reach, or a known user cannot be served. */
export const codeOfAbsent = (absent: Exclude<Found<unknown>, { readonly kind: "found" }>): "50001" | "50026" =>
  absent.kind === "down" ? "50001" : "50026";
