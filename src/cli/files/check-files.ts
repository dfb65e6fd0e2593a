import { BadInput, type Problem } from "../../errors/problem.ts";
import type { Finding } from "../../rehearsal/lint/finding.ts";
import type { CliIo } from "../io.ts";
import { checkAlone, given, loadFiles, type Alone } from "./load.ts";

export type Checked = {
  /** What keeps the files from being used, and, marked as such, warnings behind it. */
  readonly problems: readonly Problem[];
  /** Everything that the lint of migrations has to say. */
  readonly findings: readonly Finding[];
  readonly files: readonly string[];
};

/** A plan alone, or together with an environment and releases; and its migrations. */
export async function checkFiles(
  io: CliIo,
  plan: string,
  options: { readonly env?: string; readonly releases?: string },
  signal: AbortSignal,
): Promise<Checked> {
  if (options.env === undefined) {
    const alone = await checkAlone(io, plan, options.releases);
    return { ...(await withLint(io, alone, signal)), files: [plan] };
  }
  const files = given(io, plan, options);
  return {
    ...(await withLint(io, await checkTogether(io, files), signal)),
    files: [files.plan, files.environment, files.releases],
  };
}

async function checkTogether(io: CliIo, files: ReturnType<typeof given>): Promise<Alone> {
  try {
    const { plan, migrations } = await loadFiles(io, files);
    return { problems: [], plan, migrations };
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    // All there is to say is said at once: what is wrong elsewhere does not hide what is wrong in the migrations.
    return { ...(await checkAlone(io, files.plan, undefined)), problems: error.problems };
  }
}

async function withLint(
  io: CliIo,
  { problems, plan, migrations }: Alone,
  signal: AbortSignal,
): Promise<Omit<Checked, "files">> {
  if (plan === undefined || Object.values(migrations).flat().length === 0) return { problems, findings: [] };
  const { lintMigrations } = await import("./lint-migrations.ts");
  const linted = await lintMigrations(io, plan, migrations, signal);
  const { problemsOf } = await import("./lint-problems.ts");
  return { problems: problemsOf(problems, linted), findings: linted.findings };
}
