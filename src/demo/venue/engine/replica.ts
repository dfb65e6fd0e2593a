import { apply } from "./apply.ts";
import type { Command, Entry } from "./entry.ts";
import type { Instrument } from "./instrument.ts";
import type { Log } from "./log.ts";
import type { EngineEvent } from "./protocol.ts";
import { createState } from "./state.ts";
import type { EngineState, Outcome } from "./state.ts";

/** An event with the log entry that caused it. */
export type Happened = { readonly seq: number; readonly event: EngineEvent };

/** The log and the state that it folds to, always in step. */
export type Replica = {
  readonly log: Log;
  readonly state: EngineState;
  /** Writes the command as the next entry and folds it in. */
  commit(command: Command, epoch: number, at: number): { readonly entry: Entry; readonly outcome: Outcome };
  /** Takes over an entry that the active engine wrote. */
  adopt(entry: Entry): void;
  /** Forgets every entry after `seq`, as if it had never been. */
  rewind(seq: number): void;
  /** What happened after `seq`, as far back as it is remembered. */
  happenedAfter(seq: number): readonly Happened[];
};

/** How many events are remembered for followers that come back after a takeover. */
const MEMORY = 5_000;
const BATCH = 1_000;

/** Folds the whole log before it returns. */
export const createReplica = (log: Log, instruments: readonly Instrument[]): Replica => {
  let state = createState(instruments);
  let memory: Happened[] = [];

  const fold = (entry: Entry): Outcome => {
    const outcome = apply(state, entry);
    for (const event of outcome.events) memory.push({ seq: entry.seq, event });
    if (memory.length > 2 * MEMORY) memory = memory.slice(-MEMORY);
    return outcome;
  };
  const foldAll = (): void => {
    let seq = 0;
    for (let batch = log.after(seq, BATCH); batch.length > 0; batch = log.after(seq, BATCH)) {
      for (const entry of batch) fold(entry);
      seq += batch.length;
    }
  };

  foldAll();
  return {
    log,
    get state() {
      return state;
    },
    commit(command, epoch, at) {
      const entry: Entry = { seq: log.lastSeq + 1, epoch, at, command };
      log.append(entry);
      return { entry, outcome: fold(entry) };
    },
    adopt(entry) {
      log.append(entry);
      fold(entry);
    },
    rewind(seq) {
      if (seq >= log.lastSeq) return;
      log.truncate(seq);
      state = createState(instruments);
      memory = [];
      foldAll();
    },
    happenedAfter: (seq) => memory.filter((one) => one.seq > seq),
  };
};
