import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pgSqlReader } from "../../src/adapters/postgres/parse-sql.ts";
import { readTrios } from "../../src/cli/files/lint-migrations.ts";
import { readMigrations } from "../../src/plan/migrations.ts";
import type { Migration } from "../../src/plan/model.ts";
import type { Finding } from "../../src/rehearsal/lint/finding.ts";
import { lint } from "../../src/rehearsal/lint/lint.ts";

export const CORPUS = fileURLToPath(new URL("../corpus/migrations", import.meta.url));
const never = new AbortController().signal;

/** One folder of the corpus. */
export type Case = {
  readonly slug: string;
  readonly base: string;
  readonly migrations: readonly Migration[];
  readonly rules: readonly string[];
  readonly severity: "block" | "warn" | "none";
  readonly decidedBy: "lint" | "trial" | "none";
  readonly why: string;
};

/** Of those that begin with `prefix`: `l` what lint finds, `r` what only running finds, `s` sound ones. */
export const corpus = (prefix: string): readonly Case[] =>
  readdirSync(CORPUS)
    .filter((slug) => slug.startsWith(prefix) && /^[lrs]\d\d-/.test(slug))
    .toSorted()
    .map((slug) => {
      const dir = join(CORPUS, slug);
      const files = readdirSync(dir)
        .filter((name) => /^\d.*\.sql$/.test(name))
        .map((name) => ({ name, bytes: readFileSync(join(dir, name)) }));
      const { migrations, problems } = readMigrations(files, slug);
      if (problems.length > 0) throw new Error(`${slug}: ${problems.map(({ message }) => message).join("; ")}`);
      const expected = JSON.parse(readFileSync(join(dir, "expect.json"), "utf8")) as Omit<Case, "slug" | "base">;
      return { ...expected, slug, base: readFileSync(join(dir, "base.sql"), "utf8"), migrations };
    });

export async function lintCase({ slug, migrations }: Case): Promise<readonly Finding[]> {
  const { trios, problems } = await readTrios(pgSqlReader(), slug, migrations, never);
  if (problems.length > 0) throw new Error(`${slug}: ${problems.map(({ message }) => message).join("; ")}`);
  return lint(trios);
}
