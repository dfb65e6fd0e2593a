import type { Problem } from "../errors/problem.ts";
import type { Migration } from "./model.ts";
import { nearest } from "./nearest.ts";
import { decodeSource } from "./source/decode-source.ts";
import { inOrder } from "./source/in-order.ts";
import { readHead, type Head } from "./source/migration-head.ts";
import { scanSql } from "./source/scan-sql.ts";
import { lineStartsOf, problemInText, problemOfFile } from "./source/source.ts";

export type MigrationFile = { readonly name: string; readonly bytes: Uint8Array };
/** Whole trios only, in the order of their numbers, and everything that is wrong with the folder. */
export type ReadMigrations = { readonly migrations: readonly Migration[]; readonly problems: readonly Problem[] };

const NAME = /^(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.(up|verify|down)\.sql$/;
const ROLES = ["up", "verify", "down"] as const;
type Role = (typeof ROLES)[number];

type Part = {
  readonly file: string;
  readonly name: string;
  readonly number: number;
  readonly role: Role;
  readonly text: string;
  readonly head: Head;
};

/** The files of one folder → migrations. `folder` is put before names in problems. Files that are no SQL are left alone. */
export function readMigrations(files: readonly MigrationFile[], folder: string): ReadMigrations {
  const problems: Problem[] = [];
  const parts = files
    .filter((file) => /\.sql$/i.test(file.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((file) => {
      const read = readPart(file, `${folder}/${file.name}`);
      problems.push(...read.problems);
      return read.part === undefined ? [] : [read.part];
    });
  // A file that cannot be read is still there: it is no missing third of a trio.
  const names = [
    ...new Set(files.flatMap((file) => (NAME.test(file.name) ? [file.name.replace(NAME, "$1_$2")] : []))),
  ].toSorted();
  const present = new Set(files.map((file) => file.name));
  problems.push(...numberProblems(folder, names));
  const migrations = names.flatMap((name) => {
    problems.push(
      ...ROLES.filter((role) => !present.has(`${name}.${role}.sql`)).map((role) => missingPart(folder, name, role)),
    );
    const trio = ROLES.map((role) => parts.find((part) => part.name === name && part.role === role));
    const [up, verify, down] = trio;
    if (up === undefined || verify === undefined || down === undefined) return [];
    problems.push(...headProblems(up), ...[verify, down].flatMap((part) => agreement(part, up)));
    if (up.head.phase === undefined) return [];
    return [
      {
        name,
        phase: up.head.phase,
        transactional: !up.head.isOutsideTransaction,
        up: up.text,
        verify: verify.text,
        down: down.text,
      },
    ];
  });
  return { migrations, problems: inOrder(problems) };
}

type Read = { readonly part?: Part; readonly problems: readonly Problem[] };

function readPart(file: MigrationFile, path: string): Read {
  const match = NAME.exec(file.name);
  if (match === null) return { problems: [badName(file.name, path)] };
  const decoded = decodeSource(file.bytes, path);
  if (decoded.kind === "refused") return { problems: decoded.problems };
  const [, number = "", title = "", role = "up"] = match;
  const { text } = decoded;
  const part = {
    file: path,
    name: `${number}_${title}`,
    number: Number(number),
    role: role as Role,
    text,
    head: readHead(path, text),
  };
  return { part, problems: [...part.head.problems, ...sqlProblems(path, text)] };
}

function badName(name: string, path: string): Problem {
  const role = /\.([^.]*)\.sql$/i.exec(name)?.[1];
  const near = role === undefined ? undefined : nearest(role, ROLES);
  const hint =
    near !== undefined && near !== role
      ? `did you mean .${near}.sql?`
      : "call it NNNN_name.up.sql, NNNN_name.verify.sql or NNNN_name.down.sql, in small letters";
  return problemOfFile(path, { code: "MIGRATION_NAME", message: "this is no name of a migration", hint });
}

const HINTS: Readonly<Record<Role, string>> = {
  up: "write it, or delete the others",
  verify: "write it: SQL that fails when the migration is not in place, such as select 1 / count(*) from …",
  down: "write it: SQL that takes the migration back; for an irreversible one, what comes nearest",
};

const missingPart = (folder: string, name: string, role: Role): Problem =>
  problemOfFile(`${folder}/${name}.${role}.sql`, {
    code: "MIGRATION_INCOMPLETE",
    message: "there is no such file, and a migration is a trio of up, verify and down",
    hint: HINTS[role],
  });

function numberProblems(folder: string, names: readonly string[]): readonly Problem[] {
  return names.flatMap((name, index) => {
    const before = names[index - 1];
    if (before === undefined) return [];
    const [number, last] = [Number(name.slice(0, 4)), Number(before.slice(0, 4))];
    const path = `${folder}/${name}.up.sql`;
    if (number === last)
      return [
        problemOfFile(path, {
          code: "MIGRATION_NUMBER",
          message: `${before} has the number ${name.slice(0, 4)} too, so their order is open`,
          hint: "give one of them the next free number",
        }),
      ];
    if (number === last + 1) return [];
    return [
      problemOfFile(path, {
        code: "MIGRATION_NUMBER",
        message: `${String(last + 1).padStart(4, "0")} is missing between ${before} and ${name}`,
        hint: "put the missing one back, or number without gaps",
      }),
    ];
  });
}

function headProblems(up: Part): readonly Problem[] {
  if (up.head.phase !== undefined || up.head.problems.length > 0) return [];
  return [
    inText(
      up.file,
      up.text,
      0,
      1,
      "MIGRATION_HEAD",
      "the head of this file does not say its phase",
      "begin it with -- midflight: phase expand, or with -- midflight: phase contract",
    ),
  ];
}

/** The head of `up` speaks for the trio; the others may repeat it. */
function agreement(part: Part, up: Part): readonly Problem[] {
  if (part.head.phase === undefined || part.head.phase === up.head.phase || up.head.phase === undefined) return [];
  return [
    inText(
      part.file,
      part.text,
      0,
      part.text.split("\n")[0]?.length ?? 1,
      "MIGRATION_HEAD",
      `this says phase ${part.head.phase}, and its up says ${up.head.phase}`,
      "leave it to the up file",
    ),
  ];
}

function sqlProblems(file: string, text: string): readonly Problem[] {
  const scan = scanSql(text);
  if (scan.statements.length === 0)
    return [
      inText(
        file,
        text,
        0,
        1,
        "MIGRATION_EMPTY",
        "this file holds no statement",
        "write one; to delete a migration that was never applied, delete all three files",
      ),
    ];
  return [
    ...scan.backslashes.map((at) =>
      inText(
        file,
        text,
        at,
        /^\\\w*/.exec(text.slice(at, at + 40))?.[0].length ?? 1,
        "MIGRATION_COMMAND",
        "a backslash begins a command of psql, which is no SQL",
        "write SQL; put included files into this one",
      ),
    ),
    ...scan.statements.flatMap(({ at, head }) => statementProblems(file, text, at, head)),
  ];
}

function statementProblems(file: string, text: string, at: number, head: string): readonly Problem[] {
  const first = head.split(" ")[0] ?? "";
  if (/^(BEGIN|COMMIT|ROLLBACK|ABORT|START TRANSACTION)\b/.test(head))
    return [
      inText(
        file,
        text,
        at,
        first.length,
        "MIGRATION_COMMAND",
        `${first.toLowerCase()} would break out of midflight's own transaction`,
        "delete it: change, verification and history are one transaction already",
      ),
    ];
  if (first === "COPY")
    return [
      inText(
        file,
        text,
        at,
        first.length,
        "MIGRATION_COMMAND",
        "copy reads a file of the server or a stream that nobody sends",
        "write insert",
      ),
    ];
  return [];
}

const inText = (
  file: string,
  text: string,
  at: number,
  length: number,
  code: string,
  message: string,
  hint: string,
): Problem => problemInText({ file, text, lineStarts: lineStartsOf(text) }, at, at + length, { code, message, hint });
