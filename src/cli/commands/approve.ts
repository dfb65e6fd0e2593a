import { randomUUID } from "node:crypto";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { post } from "../mailbox.ts";
import { readRun } from "../read-run.ts";
import { findRun, login, openState } from "../state.ts";

type Options = { readonly state?: string; readonly by?: string; readonly refuse?: boolean };

export async function approve(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  const name = await findRun(state, id);
  const { run } = await readRun(state.store, name);
  const move = run.graph.moves[run.next];
  if (run.phase.kind !== "moving" || move?.kind !== "approve") {
    throw new UpgradeError("USAGE", `run ${name} waits for no approval; it is ${run.phase.kind}`, {
      hint: "`midflight status` shows where it is",
    });
  }
  const by = options.by ?? login();
  await post(state.store, name, { id: randomUUID(), what: options.refuse === true ? "refuse" : "approve", by });
  io.print(options.refuse === true ? `refused by ${by}; the run is taken back` : `approved by ${by}`);
  return EXIT.done;
}
