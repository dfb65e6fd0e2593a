import type { EngineRequest } from "./protocol.ts";

type Wanted<Op extends EngineRequest["op"]> = Omit<Extract<EngineRequest, { readonly op: Op }>, "rid">;

/** What changes the engine's state. Everything else only asks. */
export type Command =
  | Wanted<"place">
  | Wanted<"amend">
  | Wanted<"cancel">
  | Wanted<"cancel-all-after">
  /** The time of a dead-man switch is over: its orders go. */
  | { readonly op: "timer-due"; readonly uid: string; readonly tag: string }
  /** An engine became the active one. The first entry of each epoch. */
  | { readonly op: "epoch"; readonly name: string };

/**
 * One line of the log. Time and numbers are data, so that whoever replays the same entries gets the same orders,
 * ids and balances. Within an epoch there is one writer: the same `epoch` and `seq` are the same entry everywhere.
 */
export type Entry = {
  /** 1, 2, 3, … without a gap, over all epochs. */
  readonly seq: number;
  readonly epoch: number;
  /** Milliseconds since the Unix epoch, by the clock of the active engine. */
  readonly at: number;
  readonly command: Command;
};

/** The id of the order that an entry places: 18 digits that grow, unique over epochs. */
export const ordIdOf = (entry: Entry): string =>
  `1${String(entry.epoch).padStart(6, "0")}${String(entry.seq).padStart(11, "0")}`;
