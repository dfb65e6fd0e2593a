import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { pgSqlReader } from "../../adapters/postgres/parse-sql.ts";
import { squawk } from "../../adapters/squawk/squawk.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { SecondOpinion } from "../../ports/second-opinion.ts";
import type { SqlReader } from "../../ports/sql-reader.ts";

export type Linting = { readonly reader: SqlReader; readonly secondOpinion?: SecondOpinion };

/** The grammar, and squawk where it is: as `SQUAWK` says, or on the PATH. `SQUAWK=` (nothing) is without it. */
export async function wireLint(env: Readonly<Record<string, string | undefined>>): Promise<Linting> {
  const reader = pgSqlReader();
  const named = env["SQUAWK"];
  if (named === "") return { reader };
  if (named !== undefined && !(await isProgram(named)))
    throw new UpgradeError("LINTER_FAILED", `SQUAWK says ${named}, and there is no program`, {
      hint: "correct the path, or set SQUAWK= (to nothing) to check without it",
    });
  const binary = named ?? (await onPath(env["PATH"] ?? "", "squawk"));
  return binary === undefined ? { reader } : { reader, secondOpinion: squawk(binary) };
}

async function onPath(path: string, name: string): Promise<string | undefined> {
  // A relative entry would run whatever lies in the folder where somebody happens to stand.
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

const isProgram = async (file: string): Promise<boolean> => {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
};
