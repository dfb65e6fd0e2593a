import type { Standing, Stage } from "../../rehearsal/stage.ts";
import { isOver } from "../../runtime/conduct.ts";
import type { CliIo } from "../io.ts";
import { readRun } from "../run/read-run.ts";
import { beforeOf, runOf } from "./files.ts";
import { reviveRun } from "../run/revive-run.ts";
import type { State } from "../run/state.ts";

/** What a rehearsal writes down so that the next one can clear up after it: what stood before its drills, and the run of the drill under way. */
export type Notes = {
  before(standing: Standing): Promise<void>;
  run(id: string): Promise<void>;
  /** Demo is as it was, or keeps what the whole walk brought. */
  done(): Promise<void>;
};

export const notesOf = (state: State, id: string): Notes => ({
  before: (standing) => state.shelf.put(beforeOf(id), JSON.stringify(standing)),
  run: (run) => state.shelf.put(runOf(id), run),
  done: () => state.shelf.put(beforeOf(id), ""),
});

/** A rehearsal that was killed left a drill half done. Takes it back by the run's own undo, and clears what that undo keeps. Says what it did. */
export async function clearLeftovers(
  order: { readonly io: CliIo; readonly state: State; readonly stage: Stage; readonly say: (text: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const { state, stage, say } = order;
  for (const id of await state.shelf.list("rehearsals")) {
    const text = await state.shelf.get(beforeOf(id));
    if (text === undefined || text === "") continue;
    say(`rehearsal ${id} was broken off: taking back what it left`);
    const run = await state.shelf.get(runOf(id));
    if (run !== undefined && (await isUnfinished(state, run)))
      await reviveRun({
        io: { ...order.io, print: () => {}, say: () => {}, onSignal: () => () => {} },
        state,
        run,
        output: "lines",
        permit: { kind: "certificate" },
        ask: { what: "undo", by: "rehearsal", because: "its rehearsal was broken off" },
      });
    await stage.clear(JSON.parse(text) as Standing, signal);
    await notesOf(state, id).done();
  }
}

async function isUnfinished(state: State, id: string): Promise<boolean> {
  if (!(await state.store.list()).includes(id)) return false;
  const { run } = await readRun(state.store, id);
  return !isOver(run) || run.phase.kind === "halted";
}
