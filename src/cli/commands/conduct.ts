import { EXIT } from "../../errors/catalog.ts";
import { isOver } from "../../runtime/conduct.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { readRun } from "../run/read-run.ts";
import { reviveRun } from "../run/revive-run.ts";
import { findRun, openState } from "../run/state.ts";
import { outputKind } from "../terminal/output.ts";

type Options = { readonly state?: string; readonly json?: boolean; readonly output?: string };

/**
 * What a Job of Kubernetes runs: goes on with a run, and exits with 0 as soon as starting it again would do nothing more, however the run
 * ended or halted. Any failure is a reason to be started again. A pod that is told to leave leaves at once: the run goes on in the next one.
 */
export async function conductRun(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  const name = await findRun(state, id);
  const { run } = await readRun(state.store, name);
  if (isOver(run)) return EXIT.done;
  await reviveRun({
    io: { ...io, onSignal: () => () => undefined },
    state,
    run: name,
    output: outputKind(io, options),
    permit: { kind: "certificate" },
  });
  return EXIT.done;
}
