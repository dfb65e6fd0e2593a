import type { RunEvent } from "../../events/event.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import type { Breaker } from "../wiring/rehearsal.ts";
import type { Wired } from "../wiring/wire.ts";

export type StageOptions = {
  readonly io: CliIo;
  readonly loaded: Loaded;
  readonly state: State;
  /** A world of its own to look through, and to run backup plans in. */
  readonly wired: Wired;
  readonly breaker: Breaker;
  readonly onEvent: (event: RunEvent) => void;
  /** Told the run of a drill before it touches anything. */
  readonly onRun: (run: string) => Promise<void>;
};

/** Runs of drills are told by the rehearsal, not by themselves. */
export const mute = (io: CliIo): CliIo => ({ ...io, print: () => {}, say: () => {}, onSignal: () => () => {} });
