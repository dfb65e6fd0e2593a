import type { Run } from "../../engine/run.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { RunEvent } from "../../events/event.ts";
import { narrator } from "../../events/narrator.ts";
import { summarise, type RunSummary } from "../../events/summary.ts";
import type { RunStore } from "../../ports/journal.ts";
import { entryOf, replaySteps } from "../../runtime/replay.ts";

/** A run as its journal tells it. Summary and events are made when they are asked for. */
export type ReadRun = {
  readonly run: Run;
  readonly summary: () => RunSummary;
  readonly events: () => readonly RunEvent[];
};

/** Reads a run back from its journal, in one pass. Rejects `RUN_EMPTY`, and what the store and the replay reject. */
export async function readRun(store: RunStore, id: string): Promise<ReadRun> {
  const records = await store.read(id);
  const runs = [...replaySteps(records)];
  const run = runs.at(-1);
  if (run === undefined)
    throw new UpgradeError("RUN_EMPTY", `run ${id} has no record; nothing was touched in it`, {
      hint: "start again with `midflight upgrade`",
    });
  const entries = records.map((record) => entryOf(record));
  return {
    run,
    summary: () =>
      summarise(
        run,
        entries.map((entry) => entry.fact),
      ),
    events: () => {
      const tell = narrator();
      return entries.flatMap((entry, index) => tell(entry, runs[index] ?? run));
    },
  };
}
