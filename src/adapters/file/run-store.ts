import { randomUUID } from "node:crypto";
import { access, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, resolve } from "node:path";
import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RunStore } from "../../ports/journal.ts";
import { ensureFolder, replaceFile, syncFolder } from "./durable.ts";
import { ANCHOR_FILE, JOURNAL_FILE, createDisk, createdAt, readJournal, reopenDisk } from "./journal-disk.ts";
import { journalOn } from "./journal.ts";
import { EMPTY } from "./line.ts";
import { codeOf, onState } from "./state-error.ts";
import { watchText } from "./watch-text.ts";

/** Runs as folders under `dir/runs`: a journal, its anchor, and the files beside them. Only the owner can read them. */
export function fileRunStore({ dir, clock }: { readonly dir: string; readonly clock: Pick<Clock, "now"> }): RunStore {
  const runs = resolve(dir, "runs");
  const folderOf = (run: string): string => join(runs, run);
  const known = async (run: string): Promise<string> => {
    const folder = folderOf(run);
    if (NAME.test(run) && (await isThere(join(folder, JOURNAL_FILE)))) return folder;
    throw notFound(run, dir);
  };
  const readKnown = async (run: string) => {
    if (!NAME.test(run)) throw notFound(run, dir);
    const read = await readJournal(folderOf(run));
    if (read === undefined) throw notFound(run, dir);
    return read;
  };

  const getFile = async (run: string, name: string): Promise<string | undefined> => {
    const path = join(folderOf(run), fileName(name));
    return onState("read", path, async () => {
      await known(run);
      return readFile(path, "utf8").catch((error: unknown) => {
        if (codeOf(error) === "ENOENT") return undefined;
        throw error;
      });
    });
  };

  return {
    async create(run) {
      if (!NAME.test(run)) throw new Bug(`"${run}" is no name for a run`);
      const folder = folderOf(run);
      return onState("write", folder, async () => {
        await ensureFolder(folder);
        const disk = await createDisk(folder, clock.now()).catch((error: unknown) => {
          throw codeOf(error) === "EEXIST" ? runExists(run, dir) : error;
        });
        return journalOn(disk, { records: [], head: EMPTY });
      });
    },
    async open(run) {
      const read = await onState("read", folderOf(run), () => readKnown(run));
      return onState("write", folderOf(run), async () =>
        journalOn(await reopenDisk(folderOf(run), read, clock.now()), read.recovered),
      );
    },
    async read(run) {
      const { recovered } = await onState("read", folderOf(run), () => readKnown(run));
      return recovered.records;
    },
    list: () => onState("read", runs, () => listRuns(runs)),
    async putFile(run, name, text) {
      const path = join(folderOf(run), fileName(name));
      return onState("write", path, async () => {
        const folder = await known(run);
        if (dirname(path) !== folder) await ensureFolder(dirname(path));
        await replaceFile(path, text);
        return path;
      });
    },
    getFile,
    watchFile: (run, name, told, signal) => void watchText(() => getFile(run, name), told, signal),
    watchJournal(run, changed, signal) {
      const size = async (): Promise<string> => String((await stat(join(folderOf(run), JOURNAL_FILE))).size);
      void watchText(size, () => changed(), signal);
    },
    folder: (run) => onState("read", folderOf(run), () => known(run)),
    pathOf: (run, name) => join(folderOf(run), fileName(name)),
    remove: (run) => onState("write", folderOf(run), async () => removeRun(runs, await known(run))),
  };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Files may lie in folders of the run, but never outside it, and never be the journal itself. */
function fileName(name: string): string {
  const path = normalize(name);
  if (isAbsolute(path) || path === "." || path.startsWith("..") || path === JOURNAL_FILE || path === ANCHOR_FILE)
    throw new Bug(`"${name}" is no name for a file beside a journal`);
  return path;
}

async function listRuns(runs: string): Promise<readonly string[]> {
  const names = await readdir(runs).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  const dated = await Promise.all(names.filter((name) => NAME.test(name)).map((run) => dateOf(runs, run)));
  return dated
    .filter((each) => each !== undefined)
    .toSorted((a, b) => b.created - a.created || (a.run < b.run ? 1 : -1))
    .map(({ run }) => run);
}

async function dateOf(
  runs: string,
  run: string,
): Promise<{ readonly run: string; readonly created: number } | undefined> {
  return (await isThere(join(runs, run, JOURNAL_FILE)))
    ? { run, created: await createdAt(join(runs, run)) }
    : undefined;
}

/** Renamed first: a removal that is cut short must not look like a damaged run. */
async function removeRun(runs: string, folder: string): Promise<void> {
  const doomed = join(runs, `.removed-${randomUUID()}`);
  await rename(folder, doomed);
  await syncFolder(runs);
  const left = (await readdir(runs)).filter((name) => name.startsWith(".removed-"));
  for (const name of left) await rm(join(runs, name), { recursive: true, force: true });
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
      throw error;
    },
  );

const notFound = (run: string, dir: string): UpgradeError =>
  new UpgradeError("RUN_NOT_FOUND_HERE", `there is no run ${run} in ${dir}`, {
    hint: "`midflight runs` lists them; `--state` names another folder",
  });
const runExists = (run: string, dir: string): UpgradeError =>
  new UpgradeError("RUN_EXISTS", `run ${run} is already kept in ${dir}`, {
    hint: "start again: every run gets a name of its own",
  });
