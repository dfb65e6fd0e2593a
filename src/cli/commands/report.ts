import { EXIT } from "../../errors/catalog.ts";
import { report } from "../../view/report.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { readRun } from "../run/read-run.ts";
import { findRun, openState } from "../run/state.ts";
import { writeOutput } from "../terminal/write-output.ts";

type Options = { readonly state?: string; readonly json?: boolean; readonly out?: string };

export async function reportCommand(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  const name = await findRun(state, id);
  const { summary, events } = await readRun(state.store, name);
  // A report that was written at the end may hold what users' own client saw; it is the fuller one.
  const written = options.json === true ? undefined : await state.store.getFile(name, "report.md");
  const text =
    options.json === true
      ? JSON.stringify({ kind: "report", ...summary(), events: events() })
      : (written ?? report({ summary: summary(), events: events() })).trimEnd();
  if (options.out === undefined) io.print(text);
  else await writeOutput(io, options.out, text);
  return EXIT.done;
}
