import { constants } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { MOST_BYTES, unreadable } from "../../plan/source/decode-source.ts";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { BadInput, type Problem } from "../../errors/problem.ts";
import { compile } from "../../graph/compile.ts";
import type { Graph } from "../../graph/graph.ts";
import { planFingerprint } from "../../graph/fingerprint.ts";
import { checkEnvironment, checkTogether } from "../../plan/check.ts";
import { readMigrations, type MigrationFile } from "../../plan/migrations.ts";
import type { Located, Parsed } from "../../plan/located.ts";
import type { Environment, Migration, Plan, Releases } from "../../plan/model.ts";
import { parseEnvironment } from "../../plan/parse-environment.ts";
import { parsePlan } from "../../plan/parse-plan.ts";
import { parseReleases } from "../../plan/parse-releases.ts";
import type { CliIo } from "../io.ts";
import { foundReleases } from "./found-releases.ts";
import { jobProblems } from "./job-problems.ts";
import { driverFolder, readDriverPrograms, readPlanPrograms } from "./named-programs.ts";
import { sha256 } from "./sha256.ts";

/** Where the files were found, as given or worked out. */
export type Given = {
  readonly plan: string;
  readonly environment: string;
  readonly releases: string;
  readonly cwd?: string;
};

/** Everything that a run is made of, parsed, checked and compiled; `files` are the bytes it keeps a copy of. */
export type Loaded = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly releases: Releases;
  readonly migrations: Readonly<Record<string, readonly Migration[]>>;
  readonly graph: Graph;
  readonly planFingerprint: string;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly given: Given;
};

/** Reads by the command line: the environment is a file or a name beside the plan. Throws `BadInput` with every problem. */
export function load(
  io: CliIo,
  plan: string,
  options: { readonly env?: string; readonly releases?: string },
): Promise<Loaded> {
  return loadFiles(io, given(io, plan, options));
}

export function given(io: CliIo, plan: string, options: { readonly env?: string; readonly releases?: string }): Given {
  const folder = dirname(plan);
  const env = options.env ?? "";
  const isFile = env.includes("/") || /\.(ya?ml|json)$/.test(env);
  return {
    plan,
    environment: isFile ? env : join(folder, `${env}.yaml`),
    releases: options.releases ?? join(folder, "releases.yaml"),
    cwd: io.cwd,
  };
}

/** An environment by itself. Throws `BadInput` with every problem. */
export async function loadEnvironment(io: CliIo, file: string): Promise<Environment> {
  return { ...(await loadSole(io, file, parseEnvironment, checkEnvironment)), file: resolve(io.cwd, file) };
}

/** What releases are, by itself. Throws `BadInput` with every problem. */
export const loadReleases = (io: CliIo, file: string): Promise<Releases> => loadSole(io, file, parseReleases);

type Parse<T> = (bytes: Uint8Array, file: string) => Parsed<T>;

async function loadSole<T>(
  io: CliIo,
  file: string,
  parse: Parse<T>,
  check: (located: Located<T>) => readonly Problem[] = () => [],
): Promise<T> {
  const read = await readInput(io, file);
  const { located, problems } = parsed(read, file, parse);
  const broken = [
    ...(read.problem === undefined ? [] : [read.problem]),
    ...problems,
    ...(located === undefined ? [] : check(located)),
  ];
  if (located === undefined || broken.length > 0) throw new BadInput(broken);
  return located.value;
}

/** A plan by itself, with its migrations where it could be read. */
export type Alone = {
  readonly problems: readonly Problem[];
  readonly plan?: Plan;
  readonly migrations: Loaded["migrations"];
};

/** Every problem of a plan by itself, with its migrations, and with releases where they are given. */
export async function checkAlone(io: CliIo, file: string, releasesFile: string | undefined): Promise<Alone> {
  const read = await readInput(io, file);
  const plan = parsed(read, file, parsePlan);
  const releases =
    releasesFile === undefined ? undefined : parsed(await readInput(io, releasesFile), releasesFile, parseReleases);
  const broken = [...(read.problem === undefined ? [] : [read.problem]), ...plan.problems];
  if (plan.located === undefined) return { problems: [...broken, ...(releases?.problems ?? [])], migrations: {} };
  const folders = await readFolders(io, plan.located.value);
  const problems = [
    ...folders.problems,
    ...(await missingPrograms(plan.located, io.cwd, dirname(resolve(io.cwd, file)))),
    ...(releases?.problems ?? []),
    ...checkTogether({
      plan: plan.located,
      migrations: folders.migrations,
      ...(releases?.located === undefined ? {} : { releases: releases.located }),
    }),
  ];
  return { problems, plan: plan.located.value, migrations: folders.migrations };
}

/** A check may be made in another folder than the run is started in: it is enough that the programs lie as seen from the plan's folder or one above it. */
async function missingPrograms(plan: Located<Plan>, cwd: string, folder: string): Promise<readonly Problem[]> {
  const here = await planPrograms(plan, cwd, folder);
  if (here.missing.length === 0) return here.problems;
  for (let above = folder; ; above = dirname(above)) {
    const there = await planPrograms(plan, above, folder);
    if (there.missing.length === 0) return there.problems;
    if (above === dirname(above)) return here.problems;
  }
}

/** The files that a plan names, and what is wrong with them. `missing`: those that are not there. */
async function planPrograms(plan: Located<Plan>, cwd: string, folder: string) {
  const { files, problems: missing } = await readPlanPrograms(plan, cwd, folder);
  // A manifest that is not there is said once.
  const wrong = missing.length > 0 ? [] : await jobProblems(plan, cwd, files);
  return { files, missing, problems: [...missing, ...wrong] };
}

type Bytes = { readonly bytes?: Uint8Array; readonly problem?: Problem };

/** Reads, parses, checks and compiles. Throws `BadInput` with all problems of all files at once. */
export async function loadFiles(io: CliIo, files: Given): Promise<Loaded> {
  const read = {
    plan: await readInput(io, files.plan),
    environment: await readInput(io, files.environment),
    releases: await readInput(io, files.releases),
  };
  const missing = Object.values(read).flatMap((one) => (one.problem === undefined ? [] : [one.problem]));
  const plan = parsed(read.plan, files.plan, parsePlan);
  const environment = parsed(read.environment, files.environment, parseEnvironment);
  const releases = parsed(read.releases, files.releases, parseReleases);
  const problems = [...missing, ...[plan, environment, releases].flatMap((one) => one.problems)];
  const folders =
    plan.located === undefined
      ? { migrations: {}, problems: [], texts: [] }
      : await readFolders(io, plan.located.value);
  if (plan.located === undefined || environment.located === undefined || releases.located === undefined)
    throw new BadInput([...problems, ...folders.problems]);
  const programs = {
    plan: await planPrograms(plan.located, io.cwd, dirname(resolve(io.cwd, files.plan))),
    driver: await readDriverPrograms(environment.located, io.cwd, dirname(resolve(io.cwd, files.environment))),
  };
  const broken = [
    ...problems,
    ...folders.problems,
    ...programs.plan.problems,
    ...programs.driver.problems,
    ...checkTogether({
      plan: plan.located,
      environment: environment.located,
      releases: releases.located,
      migrations: folders.migrations,
    }),
  ];
  if (broken.length > 0) throw new BadInput(broken);
  return assemble(
    {
      plan: plan.located,
      environment: environment.located,
      releases: releases.located,
      migrations: folders.migrations,
      planTexts: [...folders.texts, ...programs.plan.files],
      driverTexts: programs.driver.files,
    },
    io.cwd,
    files,
  );
}

/** Everything that was read. `planTexts` are the plan's files besides itself and its releases, `driverTexts` those of the environment's drivers. */
export type Read = {
  readonly plan: Located<Plan>;
  readonly environment: Located<Environment>;
  readonly releases: Located<Releases>;
  readonly migrations: Loaded["migrations"];
  readonly planTexts: Loaded["files"];
  readonly driverTexts: Loaded["files"];
};

export function assemble(read: Read, cwd: string, where: Given): Loaded {
  const inputs = [
    { name: "plan.yaml", text: read.plan.source.text },
    { name: "releases.yaml", text: read.releases.source.text },
    ...read.planTexts,
  ];
  const [plan, environment, releases] = [read.plan.value, read.environment.value, read.releases.value];
  // Paths in the files are relative to the file that says them.
  const placed: Environment = { ...environment, file: resolve(cwd, where.environment) };
  const found = foundReleases(environment, releases, {
    environment: placed.file,
    releases: resolve(cwd, where.releases),
  });
  return {
    plan,
    environment: placed,
    releases: found,
    migrations: read.migrations,
    graph: compile({
      plan,
      environment: placed,
      releases: found,
      migrations: read.migrations,
      programs: programsByComponent(environment, read.driverTexts),
      sha256,
    }),
    planFingerprint: planFingerprint(inputs, sha256),
    files: [...inputs, { name: "environment.yaml", text: read.environment.source.text }, ...read.driverTexts],
    given: where,
  };
}

const programsByComponent = (environment: Environment, files: Loaded["files"]) =>
  Object.fromEntries(
    Object.keys(environment.components).map((name) => [
      name,
      files
        .filter((file) => file.name.startsWith(`${driverFolder(name)}/`))
        .map((file) => ({ name: file.name.slice(driverFolder(name).length + 1), sha256: sha256(file.text) }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ]),
  );

const absolute = (path: string, folder: string): string => (isAbsolute(path) ? path : resolve(folder, path));

function parsed<T>(
  read: Bytes,
  file: string,
  parse: Parse<T>,
): { readonly located?: Located<T>; readonly problems: readonly Problem[] } {
  if (read.bytes === undefined) return { problems: [] };
  const result = parse(read.bytes, file);
  return result.ok ? { located: result.located, problems: [] } : { problems: result.problems };
}

async function readInput(io: CliIo, file: string): Promise<Bytes> {
  try {
    return { bytes: await readRegular(resolve(io.cwd, file)) };
  } catch (error) {
    return { problem: unreadable(file, (error as NodeJS.ErrnoException).code ?? "EIO") };
  }
}

/** A device or a pipe may never end, and nothing beyond the limit is read anyway. */
export async function readRegular(path: string, mostBytes = MOST_BYTES): Promise<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: "EISDIR" });
    if (!stat.isFile()) throw Object.assign(new Error(`${path} is no regular file`), { code: "ENXIO" });
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(stat.size, mostBytes + 1)));
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

type Folders = {
  readonly migrations: Record<string, readonly Migration[]>;
  readonly problems: Problem[];
  readonly texts: { name: string; text: string }[];
};

async function readFolders(io: CliIo, plan: Plan): Promise<Folders> {
  const folders: Folders = { migrations: {}, problems: [], texts: [] };
  for (const [name, component] of Object.entries(plan.components)) {
    if (component.migrations === undefined) continue;
    const folder = absolute(component.migrations, dirname(resolve(io.cwd, plan.file)));
    const files = await readSql(folder);
    if (files === undefined) {
      folders.problems.push({
        code: "FILE_UNREADABLE",
        message: `the migrations of ${name} cannot be read`,
        file: component.migrations,
        line: 0,
        column: 0,
        hint: "the folder is relative to the plan's own folder",
      });
      continue;
    }
    const read = readMigrations(files, component.migrations);
    folders.migrations[name] = read.migrations;
    folders.problems.push(...read.problems);
    folders.texts.push(
      ...files.map((file) => ({ name: `migrations/${name}/${file.name}`, text: new TextDecoder().decode(file.bytes) })),
    );
  }
  return folders;
}

export async function readSql(folder: string): Promise<readonly MigrationFile[] | undefined> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
    return await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
  } catch {
    return undefined;
  }
}
