import { EXIT } from "../../errors/catalog.ts";
import { BadInput } from "../../errors/problem.ts";
import { checkFiles } from "../files/check-files.ts";
import { problemText } from "../failure-text.ts";
import type { CliIo, ExitStatus } from "../io.ts";

type Options = { readonly env?: string; readonly releases?: string; readonly json?: boolean };

/** Offline: nothing but the files is looked at. With `--env` the rules that need an environment are checked too. */
export async function check(io: CliIo, [file = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  // It touches nothing, so a signal simply ends the process.
  const { problems, findings, files } = await checkFiles(io, file, options, new AbortController().signal);
  const bad = problems.filter((problem) => problem.isWarning !== true);
  if (options.json === true) {
    io.print(JSON.stringify({ kind: "check", ok: bad.length === 0, files, problems: bad, findings }));
    return bad.length === 0 ? EXIT.done : EXIT.badInput;
  }
  if (bad.length > 0) throw new BadInput(problems);
  if (problems.length > 0) io.say(problemText(io, problems));
  io.print(`${files.join(", ")}: nothing wrong${problems.length === 0 ? "" : " but what is warned of"}`);
  return EXIT.done;
}
