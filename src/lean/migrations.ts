import type { Problem } from "../errors/problem.ts";
import type { Migration } from "../plan/model.ts";

export type MigrationFile = { readonly name: string; readonly bytes: Uint8Array };
export type ReadMigrations = { readonly migrations: readonly Migration[]; readonly problems: readonly Problem[] };

const NAME = /^(\d{4})_([a-z0-9_]+)\.(up|verify|down)\.sql$/;
const KINDS = ["up", "verify", "down"] as const;

/** The files of one folder → migrations in order of their numbers. `folder` is only for the places of problems. */
export function readMigrations(files: readonly MigrationFile[], folder: string): ReadMigrations {
  const sql = files.filter((file) => file.name.endsWith(".sql"));
  const problems: Problem[] = sql.filter((file) => !NAME.test(file.name)).map((file) => at(folder, file.name, 0, "bad-migration-name", "the name is not NNNN_name.up.sql, .verify.sql or .down.sql", "rename it"));
  const texts = new Map<string, string>();
  for (const file of sql.filter((one) => NAME.test(one.name))) {
    const text = decode(file.bytes);
    if (text === undefined) problems.push(at(folder, file.name, 0, "not-text", "the file is no UTF-8 text", "save it as UTF-8"));
    else {
      texts.set(file.name, text);
      problems.push(...textProblems(folder, file.name, text));
    }
  }
  const names = [...new Set([...texts.keys()].map((file) => file.replace(/\.(up|verify|down)\.sql$/, "")))].toSorted();
  problems.push(...numberProblems(folder, names));
  const migrations = names.flatMap((name) => {
    const missing = KINDS.filter((kind) => !texts.has(`${name}.${kind}.sql`));
    for (const kind of missing) problems.push(at(folder, `${name}.${kind}.sql`, 0, "missing-migration-file", "the file is missing: a migration is a trio of up, verify and down", "write it; without it nothing can be verified or taken back"));
    return missing.length > 0 ? [] : [migrationOf(name, texts, folder, problems)];
  });
  return { migrations, problems };
}

function migrationOf(name: string, texts: ReadonlyMap<string, string>, folder: string, problems: Problem[]): Migration {
  const [up = "", verify = "", down = ""] = KINDS.map((kind) => texts.get(`${name}.${kind}.sql`));
  const head = headOf(up);
  const phase = head.find((one) => one.key === "phase")?.value;
  if (phase !== "expand" && phase !== "contract") {
    problems.push(at(folder, `${name}.up.sql`, 1, "missing-phase", phase === undefined ? "the head does not say its phase" : `\`${phase}\` is no phase`, "begin the file with `-- midflight: phase expand` or `-- midflight: phase contract`"));
  }
  return { name, phase: phase === "contract" ? "contract" : "expand", transactional: !head.some((one) => one.key === "no-transaction"), up, verify, down };
}

/** `-- midflight: key value` lines before the first statement. */
const headOf = (text: string): readonly { readonly key: string; readonly value: string }[] =>
  text
    .split("\n")
    .filter((line) => /^\s*--/.test(line))
    .flatMap((line) => {
      const found = /^\s*--\s*midflight:\s*([a-z-]+)\s*(.*?)\s*$/.exec(line);
      return found === null ? [] : [{ key: found[1] ?? "", value: found[2] ?? "" }];
    });

function textProblems(folder: string, file: string, text: string): readonly Problem[] {
  if (text.replaceAll(/--[^\n]*/g, "").trim() === "") return [at(folder, file, 1, "empty-migration", "the file holds no statement", "write one, such as `select 1`")];
  return text.split("\n").flatMap((line, index) => (/^\s*\\\w/.test(line) ? [{ ...at(folder, file, index + 1, "psql-command", "a psql command is no SQL", "write SQL; midflight does not run psql"), source: line, length: line.length }] : []));
}

function numberProblems(folder: string, names: readonly string[]): readonly Problem[] {
  return names.flatMap((name, index) => {
    const number = Number(name.slice(0, 4));
    const before = index === 0 ? 0 : Number(names[index - 1]?.slice(0, 4));
    if (index > 0 && number === before) return [at(folder, `${name}.up.sql`, 0, "duplicate-number", `number ${name.slice(0, 4)} is taken by ${names[index - 1] ?? ""}`, "give it the next number")];
    return number === before + 1 ? [] : [at(folder, `${name}.up.sql`, 0, "number-gap", `number ${String(before + 1).padStart(4, "0")} is missing before it`, "number migrations without gaps")];
  });
}

const at = (folder: string, file: string, line: number, code: string, message: string, hint: string): Problem => ({ file: `${folder}/${file}`, line, column: line === 0 ? 0 : 1, code, message, hint });

function decode(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
