/**
 * What the sessions of chosen processes do in a store, as the store itself tells it. It only looks. A session that is opened and ended between
 * two looks is not seen; what it wrote still counts among `transactions`.
 */
export interface SessionWatch {
  /** What was seen since the watch began, or since the last answer. Where anybody wrote and writers matter, waits until the server has counted by session. */
  answer(about: "writes-too" | "leadership", signal: AbortSignal): Promise<SessionReading>;
  close(): Promise<void>;
}

export type SessionReading = {
  readonly store: string;
  /** Sessions of the processes that were seen. */
  readonly sessions: number;
  /** Transactions that wrote anything, whoever's they were, in the whole server. */
  readonly transactions: number;
  /** What sessions of the processes were seen to do. */
  readonly acts: readonly SessionAct[];
  /** What the server does not tell, and why: then nothing seen is nothing proved. */
  readonly blindTo?: { readonly what: "sessions" | "writes"; readonly why: string };
};

export type SessionAct =
  /** Held, or waited for: what programs elect their leader with. */
  | { readonly kind: "advisory-lock"; readonly session: string; readonly lock: string }
  /** Changes are consumed through it. */
  | { readonly kind: "replication-slot"; readonly session: string; readonly slot: string }
  | { readonly kind: "write"; readonly session: string; readonly statement: string };
