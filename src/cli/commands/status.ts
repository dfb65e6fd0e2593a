import { EXIT } from "../../errors/catalog.ts";
import { plainStatus } from "../../view/status.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { readRun } from "../run/read-run.ts";
import { findRun, openState } from "../run/state.ts";

type Options = { readonly state?: string; readonly json?: boolean };

export async function status(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  const run = await findRun(state, id);
  const { run: read, summary: summarised } = await readRun(state.store, run);
  const summary = summarised();
  const holders = await Promise.all(
    Object.keys(read.graph.components).map(async (component) => {
      const key = `${read.graph.environment}/${component}`;
      return { key, holder: await state.lease.holder(key) };
    }),
  );
  const held = holders.flatMap(({ key, holder }) => (holder === undefined ? [] : [{ key, ...holder }]));
  if (options.json !== true && held.length === 0 && read.phase.kind !== "ended")
    io.say(`Go on:     midflight resume ${run}\nTake back: midflight rollback ${run}`);
  io.print(options.json === true ? JSON.stringify({ kind: "status", ...summary, held }) : plainStatus(summary, held));
  return EXIT.done;
}
