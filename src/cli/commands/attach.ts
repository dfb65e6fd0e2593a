import { EXIT } from "../../errors/catalog.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { loadEnvironment } from "../files/load.ts";
import { exitOf } from "../run/session.ts";
import { findRun, openState, stateOf, type State } from "../run/state.ts";
import { watchRun } from "../run/watch-run.ts";
import { readRun } from "../run/read-run.ts";
import { isOver } from "../../runtime/conduct.ts";
import { outputKind } from "../terminal/output.ts";

type Options = { readonly env?: string; readonly state?: string; readonly json?: boolean; readonly output?: string };

/** Follows a run from wherever its journal can be read. */
export async function attach(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state =
    options.env === undefined
      ? await openState(io, options.state)
      : await stateOf(io, await loadEnvironment(io, options.env), options.state);
  const name = await findRun(state, id);
  const where = ` --state ${state.where}`;
  await sayIfAlone(io, state, name, where);
  const { run, isLeft } = await watchRun({ io, store: state.store, run: name, output: outputKind(io, options) });
  if (isLeft) {
    io.say(`${name} goes on without you. Look again: midflight attach ${name}${where}`);
    return EXIT.done;
  }
  io.say(`Report:    midflight report ${name}${where}`);
  return run === undefined ? EXIT.done : exitOf(run);
}

/** Else somebody would wait for a run that nobody moves. */
async function sayIfAlone(io: CliIo, state: State, name: string, where: string): Promise<void> {
  const { run } = await readRun(state.store, name);
  if (isOver(run)) return;
  const [component = ""] = Object.keys(run.graph.components);
  if ((await state.lease.holder(`${run.graph.environment}/${component}`)) === undefined)
    io.say(`Nobody conducts ${name} now. Go on with it: midflight resume ${name}${where}`);
}
