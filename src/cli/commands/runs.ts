import { messageOf } from "../../errors/message-of.ts";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { RunSummary } from "../../events/summary.ts";
import { runLine } from "../../view/status.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { readRun } from "../run/read-run.ts";
import { openState, type State } from "../run/state.ts";

type Options = { readonly state?: string; readonly json?: boolean; readonly keep?: string };
type Row = { readonly run: string; readonly summary?: RunSummary; readonly problem?: string };

export async function runs(io: CliIo, [action]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  if (action === "prune") return prune(io, state, options);
  if (action !== undefined)
    throw new UpgradeError("USAGE", `runs knows no ${action}`, {
      hint: "`midflight runs` or `midflight runs prune --keep 20`",
    });
  const rows = await rowsOf(state);
  if (options.json === true)
    for (const row of rows)
      io.print(JSON.stringify({ kind: "run", run: row.run, ...(row.summary ?? { problem: row.problem }) }));
  else if (rows.length === 0) io.print(`no runs in ${state.where}`);
  else
    for (const row of rows)
      io.print(
        row.summary === undefined ? `${row.run.padEnd(34)}  unreadable: ${row.problem ?? ""}` : runLine(row.summary),
      );
  return EXIT.done;
}

async function rowsOf(state: State): Promise<readonly Row[]> {
  const ids = await state.store.list();
  return Promise.all(
    ids.map(async (run): Promise<Row> => {
      try {
        const { summary } = await readRun(state.store, run);
        return { run, summary: summary() };
      } catch (error) {
        // One damaged run must not hide the others.
        return { run, problem: messageOf(error) };
      }
    }),
  );
}

const ENDED = new Set(["promoted", "unchanged", "undone", "backed-up", "refused"]);

/** Removes ended runs beyond the newest `--keep`. What is stranded, halted, under way or unreadable stays. */
async function prune(io: CliIo, state: State, options: Options): Promise<ExitStatus> {
  const keep = Number(options.keep ?? "20");
  if (!Number.isInteger(keep) || keep < 0)
    throw new UpgradeError("USAGE", `--keep ${options.keep ?? ""} is no whole number`, { hint: "such as --keep 20" });
  const ended = (await rowsOf(state)).filter((row) => row.summary !== undefined && ENDED.has(row.summary.state));
  const old = ended.slice(keep);
  for (const row of old) await state.store.remove(row.run);
  io.print(`removed ${old.length} of ${ended.length} ended runs`);
  return EXIT.done;
}
