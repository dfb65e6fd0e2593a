import { EXIT } from "../../errors/catalog.ts";
import { BadInput } from "../../errors/problem.ts";
import { checkFiles } from "../check-files.ts";
import type { CliIo, ExitStatus } from "../io.ts";

type Options = { readonly env?: string; readonly releases?: string; readonly json?: boolean };

/** Offline: nothing but the files is looked at. With `--env` the rules that need an environment are checked too. */
export async function check(io: CliIo, [file = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  const { problems, files } = await checkFiles(io, file, options);
  if (options.json === true) {
    io.print(JSON.stringify({ kind: "check", ok: problems.length === 0, files, problems }));
    return problems.length === 0 ? EXIT.done : EXIT.badInput;
  }
  if (problems.length > 0) throw new BadInput(problems);
  io.print(`${files.join(", ")}: nothing wrong`);
  return EXIT.done;
}
