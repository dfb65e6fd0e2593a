import { pgSqlReader } from "../../../../src/adapters/postgres/parse-sql.ts";
import { readTrios } from "../../../../src/cli/files/lint-migrations.ts";
import type { Migration } from "../../../../src/plan/model.ts";
import type { Opinion } from "../../../../src/ports/second-opinion.ts";
import type { Finding } from "../../../../src/rehearsal/lint/finding.ts";
import { lint } from "../../../../src/rehearsal/lint/lint.ts";

const reader = pgSqlReader();
const never = new AbortController().signal;

type Text = Partial<Omit<Migration, "name">>;

/** Lints migrations that are named 0001_a, 0002_a, …; a text alone is an up file of phase expand, in a transaction. */
export async function lintTexts(
  texts: readonly (Text | string)[],
  opinions: readonly Opinion[] = [],
): Promise<readonly Finding[]> {
  const migrations = texts.map((text, index): Migration => ({
    name: `${String(index + 1).padStart(4, "0")}_a`,
    phase: "expand",
    transactional: true,
    up: "select 1;",
    verify: "select 1;",
    down: "select 1;",
    ...(typeof text === "string" ? { up: text } : text),
  }));
  const { trios, problems } = await readTrios(reader, "m", migrations, never);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  return lint(trios, opinions);
}

/** `up:3:1 rule`, in the order of the findings. */
export const told = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ file, line, column, rule }) => `${file.split(".").at(-2) ?? ""}:${line}:${column} ${rule}`);
