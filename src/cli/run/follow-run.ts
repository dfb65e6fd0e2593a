import { EXIT } from "../../errors/catalog.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import type { OutputKind } from "../terminal/output.ts";
import { exitOf } from "./session.ts";
import type { State } from "./state.ts";
import { watchRun } from "./watch-run.ts";

export type FollowOrder = {
  readonly io: CliIo;
  readonly state: State;
  readonly run: string;
  readonly output: OutputKind;
  /** Watches over whoever conducts it, and rejects when nobody ever will. */
  readonly heed?: (signal: AbortSignal) => Promise<never>;
};

/** Shows a run that another process conducts, and gives its exit status. Who leaves is told how to come back, and stops nothing. */
export async function followRun({ io, state, run, output, heed }: FollowOrder): Promise<ExitStatus> {
  const stop = new AbortController();
  const where = `--state ${state.where}`;
  const watching = watchRun({ io, store: state.store, run, output, signal: stop.signal });
  try {
    const watched = await (heed === undefined ? watching : Promise.race([watching, heed(stop.signal)]));
    if (watched.isLeft) {
      io.say(`${run} goes on without you. Look again: midflight attach ${run} ${where}`);
      return EXIT.done;
    }
    io.say(`Report:    midflight report ${run} ${where}`);
    return watched.run === undefined ? EXIT.done : exitOf(watched.run);
  } finally {
    stop.abort();
    await Promise.allSettled([watching]);
  }
}
