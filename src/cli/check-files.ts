import type { Problem } from "../errors/problem.ts";
import { BadInput } from "../errors/problem.ts";
import type { CliIo } from "./io.ts";
import { checkAlone, given, loadFiles } from "./load.ts";

export type Checked = { readonly problems: readonly Problem[]; readonly files: readonly string[] };

/** A plan alone, or together with an environment and releases. */
export async function checkFiles(
  io: CliIo,
  plan: string,
  options: { readonly env?: string; readonly releases?: string },
): Promise<Checked> {
  if (options.env === undefined) return { problems: await checkAlone(io, plan, options.releases), files: [plan] };
  const files = given(io, plan, options);
  const names = [files.plan, files.environment, files.releases];
  try {
    await loadFiles(io, files);
    return { problems: [], files: names };
  } catch (error) {
    if (error instanceof BadInput) return { problems: error.problems, files: names };
    throw error;
  }
}
