import { narrator } from "../../events/narrator.ts";
import type { Run } from "../../engine/run.ts";
import { isOver } from "../../runtime/conduct.ts";
import { entryOf, replaySteps } from "../../runtime/replay.ts";
import type { RunStore } from "../../ports/journal.ts";
import type { CliIo } from "../io.ts";
import type { OutputKind } from "../terminal/output.ts";
import { rendererFor, type Renderer } from "../terminal/renderer.ts";

export type WatchOrder = {
  readonly io: CliIo;
  readonly store: RunStore;
  readonly run: string;
  readonly output: OutputKind;
  /** Ends the looking, too. */
  readonly signal?: AbortSignal;
};

/** How it stood when we stopped looking; `isLeft`: somebody left before it was over. */
export type Watched = { readonly run: Run | undefined; readonly isLeft: boolean };

/** Shows a run that another process conducts, from its journal: what was, and what comes, until it is over. A signal ends the looking, and nothing else. */
export async function watchRun({ io, store, run, output, signal }: WatchOrder): Promise<Watched> {
  const stop = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<Watched>();
  const tell = narrator();
  let renderer: Renderer | undefined;
  let told = 0;
  let last: Run | undefined;
  let hasNews = false;
  let isReading = false;

  const catchUp = async (): Promise<void> => {
    const records = await store.read(run);
    const runs = [...replaySteps(records)];
    for (const [index, record] of records.entries()) {
      const after = runs[index];
      if (index < told || after === undefined) continue;
      renderer ??= await rendererFor(output, io, after.graph);
      for (const event of tell(entryOf(record), after)) renderer.event(event);
      told = index + 1;
      last = after;
    }
  };
  /** One reading at a time: what changes meanwhile is read by the next one. */
  const changed = (): void => {
    hasNews = true;
    if (isReading) return;
    isReading = true;
    void (async () => {
      try {
        while (hasNews) {
          hasNews = false;
          await catchUp();
        }
        if (last !== undefined && isOver(last)) resolve({ run: last, isLeft: false });
      } catch (error) {
        reject(error);
      } finally {
        isReading = false;
      }
    })();
  };
  const leave = (): void => resolve({ run: last, isLeft: true });
  const unhear = io.onSignal(leave);
  signal?.addEventListener("abort", leave, { once: true });
  try {
    store.watchJournal(run, changed, stop.signal);
    return await promise;
  } finally {
    stop.abort();
    unhear();
    signal?.removeEventListener("abort", leave);
    await renderer?.end();
  }
}
