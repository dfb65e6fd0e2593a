import { messageOf } from "../../../errors/message-of.ts";
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, resolve } from "node:path";
import { Bug } from "../../../errors/bug.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { RunStore } from "../../../ports/journal.ts";
import type { JournalForm } from "../../../ports/journal-form.ts";
import { isFailure, unlessAbsent } from "../api/api-failure.ts";
import { follow } from "../api/follow.ts";
import { chunkedDisk, pathOf, readChunks } from "./journal-chunks.ts";
import type { ConfigMap, Listed } from "../api/objects.ts";
import { allHeads, anchorIn, fileObject, headData, headName, newConfigMap, ofRun, RESTORE } from "./run-objects.ts";
import { writeCertainly, type Place } from "../api/certain-write.ts";
import { inOurWords } from "../site.ts";

export type RunStoreOptions = Place & {
  readonly form: JournalForm;
  /** A folder of this machine for copies of the files, and for what only this machine needs. */
  readonly dir: string;
};

/** What an object of the API may hold, with room for its name. */
const MOST_FILE_BYTES = 1_000_000;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Runs as ConfigMaps of a namespace: whoever may read them there can go on with them from anywhere. */
export function kubernetesRunStore({ api, clock, form, dir }: RunStoreOptions): RunStore {
  const place: Place = { api, clock };
  const { signal } = new AbortController();
  const folderOf = (run: string): string => resolve(dir, "runs", run);
  const where = `namespace ${api.namespace} of ${api.context}`;

  const findMap = (name: string): Promise<ConfigMap | undefined> =>
    unlessAbsent(api.send<ConfigMap>({ verb: "get", resource: "configmaps", name }, signal));
  const headOf = async (run: string): Promise<ConfigMap> => {
    const head = NAME.test(run) ? await findMap(headName(run)) : undefined;
    if (head === undefined) throw notFound(run, where);
    return head;
  };
  const listMaps = async (labelSelector: string): Promise<readonly ConfigMap[]> =>
    (await api.send<Listed<ConfigMap>>({ verb: "list", resource: "configmaps", query: { labelSelector } }, signal))
      .items ?? [];
  const removeMap = async (name: string): Promise<void> => {
    await unlessAbsent(api.send({ verb: "delete", resource: "configmaps", name }, signal));
  };
  /** The head first: a writer that is at work may only make the journal longer than it. */
  const readAll = async (run: string) => {
    const head = await headOf(run);
    const path = pathOf(place, run);
    const anchor = anchorIn(head, path);
    const { lines, last } = await readChunks(place, run, signal);
    const recovered = recover(form, path, lines, anchor);
    return { head, anchor, recovered, last };
  };
  const putText = async (run: string, name: string, text: string): Promise<void> => {
    const object = fileObject(run, name);
    const isDone = ({ data = {} }: ConfigMap): boolean => data["text"] === text;
    const body = [{ op: "add", path: "/data/text", value: text }];
    const replace = {
      name: object,
      ask: { verb: "patch", query: { fieldManager: "midflight" }, body },
      isDone,
    } as const;
    try {
      await writeCertainly(place, replace, signal);
    } catch (error) {
      if (!isFailure(error, 404)) throw error;
      const made = newConfigMap(run, "file", object, { name, text });
      await writeCertainly(place, { name: object, ask: { verb: "create", body: made }, isDone }, signal).catch(
        async (again: unknown) => {
          if (!isFailure(again, 409)) throw again;
          await writeCertainly(place, replace, signal);
        },
      );
    }
  };

  return {
    create: (run) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        if (!NAME.test(run)) throw new Bug(`"${run}" is no name for a run`);
        const maker = randomUUID();
        const name = headName(run);
        const body = newConfigMap(run, "head", name, headData(run, form.empty, { at: clock.now(), maker }));
        const isDone = ({ data = {} }: ConfigMap): boolean => data["maker"] === maker;
        const head = await writeCertainly(place, { name, ask: { verb: "create", body }, isDone }, signal).catch(
          (error: unknown) => {
            throw isFailure(error, 409) ? runExists(run, where) : error;
          },
        );
        await makeFolder(folderOf(run));
        const disk = chunkedDisk(place, run, { head, last: undefined, records: 0 });
        return form.journalOn(disk, { records: [], head: form.empty });
      }),
    open: (run) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const { head, anchor, recovered, last } = await readAll(run);
        await makeFolder(folderOf(run));
        const disk = chunkedDisk(place, run, { head, last, records: recovered.head.seq });
        // Before anything depends on a record whose writer died between the two writes.
        if (recovered.head.seq > anchor.seq) await disk.anchor(recovered.head);
        return form.journalOn(disk, recovered);
      }),
    read: (run) => inOurWords("STATE_UNREACHABLE", async () => (await readAll(run)).recovered.records),
    list: () =>
      inOurWords("STATE_UNREACHABLE", async () =>
        (await listMaps(allHeads))
          .map(({ data = {} }) => ({ run: data["run"] ?? "", created: Number(data["created"] ?? 0) }))
          .filter(({ run }) => NAME.test(run))
          .toSorted((a, b) => b.created - a.created || (a.run < b.run ? 1 : -1))
          .map(({ run }) => run),
      ),
    putFile: (run, name, text) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const path = join(folderOf(run), fileName(name));
        await headOf(run);
        const bytes = Buffer.byteLength(text);
        if (bytes > MOST_FILE_BYTES) throw tooLarge(run, name, bytes);
        await putText(run, fileName(name), text);
        // The copy is for people on this machine. What counts is in the cluster.
        await writeCopy(path, text).catch(() => undefined);
        return path;
      }),
    getFile: (run, name) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const found = NAME.test(run) ? await findMap(fileObject(run, fileName(name))) : undefined;
        if (found === undefined) await headOf(run);
        return found?.data?.["text"];
      }),
    watchFile(run, name, told, until) {
      const query = { fieldSelector: `metadata.name=${fileObject(run, fileName(name))}` };
      let last: { readonly text: string | undefined } | undefined;
      const items = ([found]: readonly ConfigMap[]): void => {
        const text = found?.data?.["text"];
        if (last === undefined || last.text !== text) told(text);
        last = { text };
      };
      // It ends with the abort. A right that is missing ends it too, and is told by whatever reads or writes next.
      follow<ConfigMap>(place, { resource: "configmaps", query }, { items, silence: () => undefined }, until).catch(
        () => undefined,
      );
    },
    watchJournal(run, changed, until) {
      const query = { labelSelector: ofRun(run, "journal") };
      const items = (): void => changed();
      follow<ConfigMap>(place, { resource: "configmaps", query }, { items, silence: () => undefined }, until).catch(
        () => undefined,
      );
    },
    folder: (run) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        await headOf(run);
        const folder = folderOf(run);
        for (const { data = {} } of await listMaps(ofRun(run, "file")))
          await writeCopy(join(folder, fileName(data["name"] ?? "")), data["text"] ?? "").catch((cause: unknown) => {
            throw unwritable(folder, cause);
          });
        return folder;
      }),
    pathOf: (run, name) => join(folderOf(run), fileName(name)),
    remove: (run) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const { metadata } = await headOf(run);
        // First: a removal that is cut short must not look like a damaged run.
        await removeMap(metadata.name);
        for (const part of await listMaps(ofRun(run))) await removeMap(part.metadata.name);
        await rm(folderOf(run), { recursive: true, force: true });
      }),
  };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Files may lie in folders of the run, but never outside it: names come from a cluster that others may write to. */
function fileName(name: string): string {
  const path = normalize(name);
  if (name === "" || isAbsolute(path) || path === "." || path.startsWith(".."))
    throw new Bug(`"${name}" is no name for a file beside a journal`);
  return path;
}

function recover(
  form: JournalForm,
  path: string,
  lines: Buffer,
  anchor: Parameters<JournalForm["recover"]>[2],
): ReturnType<JournalForm["recover"]> {
  try {
    const recovered = form.recover(path, lines, anchor);
    if (recovered.tornBytes === 0) return recovered;
    throw new UpgradeError(
      "JOURNAL_CORRUPT",
      `record ${recovered.head.seq + 1} of ${path} is damaged: an API server keeps a record whole or not at all`,
      { hint: RESTORE },
    );
  } catch (error) {
    if (!(error instanceof UpgradeError) || error.code !== "JOURNAL_CORRUPT") throw error;
    throw new UpgradeError("JOURNAL_CORRUPT", error.message, { hint: RESTORE, cause: error });
  }
}

/** Where the guard writes down what it is told. It goes without when there is no room for it. */
const makeFolder = (folder: string): Promise<unknown> =>
  mkdir(folder, { recursive: true, mode: FOLDER_MODE }).catch(() => undefined);

async function writeCopy(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
  await writeFile(path, text, { mode: FILE_MODE });
}

const unwritable = (folder: string, cause: unknown): UpgradeError =>
  new UpgradeError("STATE_UNWRITABLE", `cannot write copies of the run's files to ${folder}: ${messageOf(cause)}`, {
    hint: "give this user the folder, or make room",
    cause,
  });
const tooLarge = (run: string, name: string, bytes: number): UpgradeError =>
  new UpgradeError(
    "STATE_UNWRITABLE",
    `${name} of run ${run} has ${bytes} bytes, and an object of Kubernetes holds 1 MiB`,
    { hint: "keep the runs of this plan in a folder: --state DIR" },
  );
const notFound = (run: string, where: string): UpgradeError =>
  new UpgradeError("RUN_NOT_FOUND_HERE", `there is no run ${run} in ${where}`, {
    hint: "`midflight runs` lists them; `--state` names another place",
  });
const runExists = (run: string, where: string): UpgradeError =>
  new UpgradeError("RUN_EXISTS", `run ${run} is already kept in ${where}`, {
    hint: "start again: every run gets a name of its own",
  });
