import type { Entry } from "./entry.ts";
import type { Segment } from "./log.ts";

/**
 * What the two engines say to each other, and how long they bear silence.
 *
 * The standby dials the active one and joins with a description of its log. The active names the last entry that both
 * have, sends everything after it, and then says `sync`: from there on it answers nobody before the standby has
 * acknowledged what the answer rests on. Who wants to go on without the other must first win the next epoch from the
 * witness; only a standby in sync may try. So whatever a user was told is on the engine that goes on.
 */
export type PeerMessage =
  /** Standby → active. */
  | { readonly peer: "join"; readonly name: string; readonly lastSeq: number; readonly segments: readonly Segment[] }
  /** `t` repeats the active's own clock, so that it knows how old the answer may be. */
  | { readonly peer: "ack"; readonly seq: number; readonly t: number }
  /** Active → standby. `refuse`: not active here. */
  | { readonly peer: "refuse" }
  | { readonly peer: "from"; readonly epoch: number; readonly seq: number }
  | { readonly peer: "append"; readonly epoch: number; readonly entries: readonly Entry[]; readonly t: number }
  | { readonly peer: "sync"; readonly epoch: number; readonly t: number }
  | { readonly peer: "beat"; readonly epoch: number; readonly t: number };

export const isPeerMessage = (message: object): message is PeerMessage => "peer" in message;

/** All in ms. */
export type Patience = {
  /** The other engine counts as gone after so long a silence. */
  readonly silenceMs: number;
  /** The active may answer so long after the standby's last sign of life without asking the witness. Below `silenceMs`. */
  readonly leaseMs: number;
  /** The active says something at least this often. */
  readonly beatMs: number;
};

export const patienceOf = (silenceMs: number): Patience => ({
  silenceMs,
  leaseMs: silenceMs * 0.7,
  beatMs: Math.min(50, silenceMs / 6),
});

/** How often the engine looks at its timers, in ms. */
export const TICK_MS = 20;

/** A tick that comes later than this (ms) says that this process itself was halted, and knows nothing about the other. */
export const STALL_MS = 100;
