import type { LeaseHolder } from "./lease.ts";

/** Who claimed a turn, and which process that is. Never changed once written. */
export type Claim = {
  /** No two claims share it. */
  readonly id: string;
  readonly epoch: number;
  readonly holder: LeaseHolder;
  /** The kernel that the pid belongs to, and when that process started. */
  readonly machine: string;
  readonly started: string;
};

/** The last turn of a key, as it was found. `beat` changes while the holder lives. */
export type Turn = {
  readonly turn: number;
  readonly claim: Claim;
  readonly isReleased: boolean;
  readonly beat: string;
  /** Whether it stood still for so long that its holder is certainly gone, whatever clocks say. For whoever only looks; absent where nobody can tell. */
  readonly isSilent?: boolean;
};

/** The turns of one key in one place: exactly one of two rivals wins a turn, the highest one counts, and with it the epoch, also after it was given back. */
export interface Turns {
  /** The highest turn, undefined if the key was never held. Rejects `LEASE_CORRUPT`. */
  last(): Promise<Turn | undefined>;
  /** Whether this claim is still the last one: `overtaken` when a later turn was claimed, `removed` when nothing is left of it. */
  standing(turn: number, claim: Claim): Promise<"last" | "overtaken" | "removed">;
  /** Takes a turn; false when somebody else did. */
  claim(turn: number, claim: Claim): Promise<boolean>;
  /** Shows that the holder lives. Asked only after `standing` said `last`. */
  beat(turn: number, count: number): Promise<void>;
  release(turn: number): Promise<void>;
}

/** All by the monotonic clock of whoever waits; the wall clocks of two machines are never compared. */
export type LeaseTimes = {
  readonly renewEveryMs: number;
  /** A holder that could not renew for this long stops, before anybody may take over. */
  readonly giveUpAfterMs: number;
  /** A heartbeat that an observer saw standing still for this long belongs to a dead holder. */
  readonly lostAfterMs: number;
};

/** A place where a key is taken. A key may be taken in several, and is held only when it was taken in all of them. */
export type LeasePlace = {
  readonly turns: Turns;
  readonly times: LeaseTimes;
  /** Whether a holder that cannot renew here must stop. Elsewhere it stops only when it was overtaken: a region that cannot be reached stops no other region. */
  readonly isVital: boolean;
  /** Region that it stands for, where it is not vital. */
  readonly region?: string;
};
