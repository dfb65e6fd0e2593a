import { dirname, isAbsolute, join, resolve } from "node:path";
import type { Problem } from "../../errors/problem.ts";
import type { Migration, Plan } from "../../plan/model.ts";
import { lineStartsOf, problemInText } from "../../plan/source/source.ts";
import type { OpinionFile } from "../../ports/second-opinion.ts";
import type { SqlReader } from "../../ports/sql-reader.ts";
import type { Finding, LintFile, Part } from "../../rehearsal/lint/finding.ts";
import { lint, type LintTrio } from "../../rehearsal/lint/lint.ts";
import type { CliIo } from "../io.ts";
import { wireLint } from "../wiring/lint.ts";

export type Linted = {
  /** In the order of the components, their migrations and lines. */
  readonly findings: readonly Finding[];
  /** Files that are no SQL. */
  readonly problems: readonly Problem[];
};

/** Lints the migrations of every component of a plan. Offline. Rejects `LINTER_FAILED`. */
export async function lintMigrations(
  io: Pick<CliIo, "cwd" | "env">,
  plan: Plan,
  migrations: Readonly<Record<string, readonly Migration[]>>,
  signal: AbortSignal,
): Promise<Linted> {
  const { reader, secondOpinion } = await wireLint(io.env);
  const findings: Finding[] = [];
  const problems: Problem[] = [];
  for (const [name, component] of Object.entries(plan.components)) {
    const folder = component.migrations;
    if (folder === undefined) continue;
    const read = await readTrios(reader, folder, migrations[name] ?? [], signal);
    problems.push(...read.problems);
    const files = read.trios.flatMap(({ up, verify, down }) => [up, verify, down].flatMap((one) => one ?? []));
    const root = isAbsolute(folder) ? folder : resolve(dirname(resolve(io.cwd, plan.file)), folder);
    const opinions = (await secondOpinion?.lint(files.map(opinionFile(root, folder)), signal)) ?? [];
    findings.push(...lint(read.trios, opinions));
  }
  return { findings, problems };
}

const opinionFile =
  (root: string, folder: string) =>
  ({ file, text }: LintFile): OpinionFile => ({ file, text, path: join(root, file.slice(folder.length)) });

type Trios = { readonly trios: readonly LintTrio[]; readonly problems: readonly Problem[] };

/** Parses the files of one folder's migrations. `folder` is put before names. */
export async function readTrios(
  reader: SqlReader,
  folder: string,
  migrations: readonly Migration[],
  signal: AbortSignal,
): Promise<Trios> {
  const problems: Problem[] = [];
  const trios: LintTrio[] = [];
  for (const migration of migrations) {
    const trio: { -readonly [K in keyof LintTrio]: LintTrio[K] } = {};
    for (const part of PARTS) {
      const file = `${folder}/${migration.name}.${part}.sql`;
      const text = migration[part];
      const read = await reader.read(text, signal);
      if (read.kind === "parsed")
        trio[part] = { file, part, migration, text, lineStarts: lineStartsOf(text), statements: read.statements };
      else problems.push(noSql(file, text, read.at, read.message));
    }
    trios.push(trio);
  }
  return { trios, problems };
}

const PARTS: readonly Part[] = ["up", "verify", "down"];

function noSql(file: string, text: string, at: number, message: string): Problem {
  const word = /^\S+/.exec(text.slice(at, at + 200))?.[0].length ?? 1;
  return problemInText({ file, text, lineStarts: lineStartsOf(text) }, at, at + word, {
    code: "MIGRATION_SYNTAX",
    message,
    hint: "correct the SQL",
  });
}
