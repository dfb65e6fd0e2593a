import type { CliIo, ExitStatus } from "../io.ts";
import { loadEnvironment } from "../files/load.ts";
import { followRun } from "../run/follow-run.ts";
import { readRun } from "../run/read-run.ts";
import { findRun, openState, stateOf, type State } from "../run/state.ts";
import { isOver } from "../../runtime/conduct.ts";
import { outputKind } from "../terminal/output.ts";

type Options = { readonly env?: string; readonly state?: string; readonly json?: boolean; readonly output?: string };

/** Follows a run from wherever its journal can be read. */
export async function attach(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state =
    options.env === undefined
      ? await openState(io, options.state)
      : await stateOf(io, await loadEnvironment(io, options.env), options.state);
  const run = await findRun(state, id);
  await sayIfAlone(io, state, run);
  return followRun({ io, state, run, output: outputKind(io, options) });
}

/** Else somebody would wait for a run that nobody moves. */
async function sayIfAlone(io: CliIo, state: State, name: string): Promise<void> {
  const { run } = await readRun(state.store, name);
  if (isOver(run)) return;
  const [component = ""] = Object.keys(run.graph.components);
  if ((await state.lease.holder(`${run.graph.environment}/${component}`)) === undefined)
    io.say(`Nobody conducts ${name} now. Go on with it: midflight resume ${name} --state ${state.where}`);
}
