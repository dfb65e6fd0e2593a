import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, readFile, type FileHandle } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Problem } from "../../errors/problem.ts";
import type { Located } from "../../plan/located.ts";
import type { Environment, Plan } from "../../plan/model.ts";
import { MOST_BYTES } from "../../plan/source/decode-source.ts";
import { problemAt, type Path } from "../../plan/source/source.ts";

/** A file that a command line names. A text is kept as it is; what is none, or is large, as the sha256 of its bytes. */
export type NamedProgram = { readonly name: string; readonly text: string };
export type NamedPrograms = { readonly files: readonly NamedProgram[]; readonly problems: readonly Problem[] };

type CommandLine = { readonly argv: readonly string[]; readonly shell: boolean; readonly path: Path };

/** Where they lie in a run's folder and in a certificate. */
export const PROGRAMS = "programs";

/**
 * The files that a plan's steps, their undos and its backup plans name in their command lines, if they lie in the working folder or in the
 * plan's: they are a part of the plan, and a changed byte makes it another one. What such a program imports, fetches or starts by itself cannot
 * be seen from here, nor can a program that is found by PATH or lies in other folders. They are read when the plan is: one that is replaced while a
 * run is under way is not noticed. Copies lie in the run's folder, which only its owner can read; a secret is no business of a command line.
 */
export const readPlanPrograms = (plan: Located<Plan>, cwd: string, folder: string): Promise<NamedPrograms> =>
  readNamed(plan, commandLinesOf(plan.value), { cwd, folder, under: PROGRAMS });

/** The same for what the command driver of an environment starts, by component: a part of the environment, not of the plan. Programs of live sources are only looked for. */
export async function readDriverPrograms(
  environment: Located<Environment>,
  cwd: string,
  folder: string,
): Promise<NamedPrograms> {
  const read = await Promise.all(
    Object.entries(environment.value.components).map(([name, placed]): Promise<NamedPrograms> => {
      if (placed.driver !== "command") return Promise.resolve({ files: [], problems: [] });
      const lines = (["observe", "apply", "undo", "ready"] as const).map((act) => ({
        argv: placed[act],
        shell: placed.shell,
        path: ["components", name, act],
      }));
      return readNamed(environment, lines, { cwd, folder, under: driverFolder(name) });
    }),
  );
  // What counts users is an eye of this environment alone: it must be there, and is no part of what is compared or certified.
  const counting = environment.value.sources.flatMap((source, index): readonly CommandLine[] =>
    source.kind === "command" ? [{ argv: source.argv, shell: false, path: ["sources", index, "command"] }] : [],
  );
  const eyes = await readNamed(environment, counting, { cwd, folder, under: "environment" });
  return {
    files: read.flatMap(({ files }) => files),
    problems: [...read.flatMap(({ problems }) => problems), ...eyes.problems],
  };
}

/** Copies of the programs of one component's driver. */
export const driverFolder = (component: string): string => `environment/${component}`;

/** What a run's folder kept of them. */
export async function readCopiedPrograms(root: string, under: string): Promise<readonly NamedProgram[]> {
  const folder = join(root, under);
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return Promise.all(
    paths.toSorted().map(async (path) => ({
      name: `${under}/${slashed(relative(folder, path))}`,
      text: await readFile(path, "utf8"),
    })),
  );
}

function commandLinesOf(plan: Plan): readonly CommandLine[] {
  const steps = plan.steps.flatMap((step, index): readonly CommandLine[] => {
    if (step.kind !== "run") return [];
    const path = ["steps", index, "run"];
    return [
      step.job === undefined
        ? { argv: step.argv, shell: step.shell, path: [...path, "argv"] }
        : { argv: [fileWord(step.job.manifest)], shell: false, path: [...path, "job", "manifest"] },
      ...(step.undo === undefined ? [] : [{ argv: step.undo, shell: step.shell, path: [...path, "undo"] }]),
    ];
  });
  const backups = Object.entries(plan.backups).flatMap(([name, actions]) =>
    actions.flatMap((action, index): readonly CommandLine[] =>
      action.kind === "run" ? [{ argv: action.argv, shell: action.shell, path: ["backups", name, index, "run"] }] : [],
    ),
  );
  return [...steps, ...backups];
}

/** A word that is certainly a file, also without a folder before it. */
const fileWord = (path: string): string => (path.includes("/") ? path : `./${path}`);

/** What a file is called among those that the plan names, if it is one. */
export const programName = (cwd: string, path: string): string => `${PROGRAMS}/${nameOf(cwd, resolve(cwd, path))}`;

type Place = { readonly cwd: string; readonly folder: string; readonly under: string };

async function readNamed(from: Located<unknown>, lines: readonly CommandLine[], place: Place): Promise<NamedPrograms> {
  const files = new Map<string, string>();
  const problems: Problem[] = [];
  for (const line of lines) {
    const started = startedBy(line);
    for (const word of new Set(wordsOf(line))) {
      const path = resolve(place.cwd, word);
      if (!isBelow(place.cwd, path) && !isBelow(place.folder, path)) continue;
      try {
        const text = await keptText(path);
        if (text !== undefined) files.set(`${place.under}/${nameOf(place.cwd, path)}`, text);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "EIO";
        if (code !== "ENOENT" || word === started)
          problems.push(problemAt(from.source, unreadable(word, code, line.path)));
      }
    }
  }
  return { files: [...files].map(([name, text]) => ({ name, text })), problems };
}

/** Words that may be paths; of an option with a value, its value. */
const wordsOf = ({ argv, shell }: CommandLine): readonly string[] =>
  (shell ? argv.flatMap((line) => line.split(/[\s;|&()<>"'`]+/)) : argv)
    .map((word) => (word.startsWith("-") ? word.slice(word.indexOf("=") + 1) : word))
    .filter((word) => word !== "" && !word.startsWith("-") && !word.includes("\0") && !word.includes("://"));

const INTERPRETER = /^(?:node|bun|sh|bash|zsh|python3?|ruby|perl|php)$/;

/** The file that a command line certainly starts: other words may be files that the program makes. */
function startedBy({ argv: [first = "", second = ""], shell }: CommandLine): string | undefined {
  if (shell) return undefined;
  if (first.includes("/")) return first;
  return INTERPRETER.test(first) && /^[^-\s]\S*\.\w+$/.test(second) ? second : undefined;
}

const unreadable = (word: string, code: string, path: Path) => ({
  code: "PROGRAM_UNREADABLE",
  message: code === "ENOENT" ? `there is no file ${word}` : `${word} cannot be read (${code})`,
  path,
  hint: "write the path as seen from the folder where midflight is started, and start it there",
});

const isBelow = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/** As seen from the working folder; a step up is no step in a name. */
const nameOf = (cwd: string, path: string): string =>
  slashed(relative(cwd, path)).replaceAll(/(^|\/)\.\.(?=\/)/g, "$1up");

const slashed = (path: string): string => path.replaceAll(sep, "/");

/** Undefined for a folder, a pipe or a device. */
async function keptText(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR" || error.code === "ENAMETOOLONG" || error.code === "ENXIO") return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return undefined;
    const text = stat.size > MOST_BYTES ? undefined : textOf(await handle.readFile());
    return text ?? `sha256:${await digestOf(handle)}\n`;
  } finally {
    await handle.close();
  }
}

/** Every byte of it, also a byte order mark; undefined where it is no text. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

async function digestOf(handle: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
