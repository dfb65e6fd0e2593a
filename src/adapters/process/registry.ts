import { readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { codeOf, onState, replaceFile } from "./durable.ts";

/**
 * One instance, as it stands on disk. Written before its process exists, and removed after it is gone, so that whoever comes
 * after a crash knows of everything that may run.
 */
export type InstanceRecord = {
  readonly format: 1;
  readonly id: string;
  readonly component: string;
  readonly region: string;
  readonly release: string;
  readonly digest: string;
  readonly ordinal: number;
  /** `starting`: no user ever reached it. `draining`: told to say goodbye. `stopping`: out of the balancer, told to end. */
  readonly stage: "starting" | "running" | "draining" | "stopping";
  readonly port: number;
  /** Absent until it is spawned. `start` with the pid names one process for ever. */
  readonly process?: { readonly pid: number; readonly start: string };
  /** ms since the epoch. */
  readonly startedAt: number;
  /** What was run, so that it can be run again when releases.yaml no longer names it. */
  readonly path: string;
  readonly run: readonly string[];
};

export type Registry = {
  /** Absolute. Its instances carry it in their environment. */
  readonly dir: string;
  list(region: string): Promise<readonly InstanceRecord[]>;
  /** `permit` rejects when somebody newer decides here now; it is asked at the last instant. */
  put(record: InstanceRecord, permit: Permit): Promise<void>;
  remove(record: InstanceRecord, permit: Permit): Promise<void>;
  /** Regions in which something is recorded. */
  regions(): Promise<readonly string[]>;
  /** Ports of every instance recorded here, of whichever component. */
  ports(): Promise<ReadonlySet<number>>;
};

export type Permit = () => Promise<void>;

/** What the owner of the machines does, no run stands behind. */
export const unfenced: Permit = () => Promise.resolve();

/** Records of one component. Rejects `STATE_UNWRITABLE`, and `WORKLOAD_UNREACHABLE` when a record cannot be understood. */
export const openRegistry = (stateDir: string, component: string): Registry => {
  const dir = resolve(stateDir);
  const folderOf = (region: string): string =>
    join(dir, "instances", encodeURIComponent(component), encodeURIComponent(region));
  const fileOf = ({ region, id }: InstanceRecord): string => join(folderOf(region), `${encodeURIComponent(id)}.json`);
  return {
    dir,
    list: async (region) => (await recordsIn(folderOf(region))).toSorted((a, b) => a.ordinal - b.ordinal),
    put: (record, permit) => replaceFile(fileOf(record), `${JSON.stringify(record, undefined, 2)}\n`, permit),
    remove: (record, permit) =>
      onState("write", fileOf(record), async () => {
        await permit();
        await rm(fileOf(record), { force: true });
      }),
    regions: async () => (await namesIn(join(dir, "instances", encodeURIComponent(component)))).map(decodeURIComponent),
    ports: async () => new Set((await allRecords(join(dir, "instances"))).map(({ port }) => port)),
  };
};

async function allRecords(instances: string): Promise<readonly InstanceRecord[]> {
  const components = (await namesIn(instances)).map((name) => join(instances, name));
  const regions = (
    await Promise.all(components.map(async (path) => (await namesIn(path)).map((name) => join(path, name))))
  ).flat();
  return (await Promise.all(regions.map(recordsIn))).flat();
}

async function recordsIn(folder: string): Promise<readonly InstanceRecord[]> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith(".json") && !name.startsWith("."));
  const records = await Promise.all(names.map((name) => read(join(folder, name))));
  return records.filter((record) => record !== undefined);
}

const namesIn = (folder: string): Promise<readonly string[]> =>
  onState("read", folder, async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  });

async function read(path: string): Promise<InstanceRecord | undefined> {
  const text = await onState("read", path, () => readFile(path, "utf8").catch(ignoreMissing));
  if (text === undefined) return undefined;
  const record = parse(text);
  if (record === undefined)
    throw new UpgradeError("WORKLOAD_UNREACHABLE", `the record ${path} cannot be understood`, {
      hint: "restore it, or end its process by hand and remove it",
    });
  return record;
}

/** Removed by somebody between the listing and now. */
const ignoreMissing = (error: unknown): undefined => {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
};

function parse(text: string): InstanceRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<InstanceRecord>;
    const isWhole =
      value.format === 1 &&
      typeof value.id === "string" &&
      typeof value.digest === "string" &&
      typeof value.ordinal === "number" &&
      typeof value.port === "number" &&
      Array.isArray(value.run);
    return isWhole ? (value as InstanceRecord) : undefined;
  } catch {
    return undefined;
  }
}
