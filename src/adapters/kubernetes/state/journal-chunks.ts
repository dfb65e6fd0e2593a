import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { JournalDisk } from "../../../ports/journal-form.ts";
import { ApiFailure, upgradeErrorOf } from "../api/api-failure.ts";
import type { ConfigMap, Listed } from "../api/objects.ts";
import { ofVersion } from "../api/patch.ts";
import { chunkName, headName, newConfigMap, ofRun, recordKey } from "./run-objects.ts";
import { writeCertainly, type Place, type Write } from "../api/certain-write.ts";

/** An object takes records until it is this large: its whole content is sent to whoever reads it, and stored anew with every record. */
const MOST_CHUNK_BYTES = 256 * 1_024;
/** An object of the API holds 1 MiB. */
const MOST_RECORD_BYTES = 1_000_000;

/** The last journal object of a run. */
export type Chunk = {
  readonly count: number;
  readonly version: string;
  readonly records: number;
  readonly bytes: number;
};

/** All records of a run as lines, in order, and where to go on. */
export async function readChunks(
  { api }: Place,
  run: string,
  signal: AbortSignal,
): Promise<{ readonly lines: Buffer; readonly last: Chunk | undefined }> {
  const query = { labelSelector: ofRun(run, "journal") };
  const { items = [] } = await api.send<Listed<ConfigMap>>({ verb: "list", resource: "configmaps", query }, signal);
  const chunks = items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const texts = chunks.map(({ data = {} }) =>
    Object.entries(data)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, text]) => `${text}\n`),
  );
  const last = chunks.at(-1);
  return {
    lines: Buffer.from(texts.flat().join("")),
    last:
      last === undefined
        ? undefined
        : {
            // By its name, and not by how many there are: one that is missing in between is found by the hashes.
            count: Number(/-j(\d{6})$/.exec(last.metadata.name)?.[1] ?? chunks.length),
            version: last.metadata.resourceVersion,
            records: texts.at(-1)?.length ?? 0,
            bytes: Buffer.byteLength(texts.at(-1)?.join("") ?? ""),
          },
  };
}

type From = { readonly head: ConfigMap; readonly last: Chunk | undefined; readonly records: number };

/**
 * Appends each record as a key of its own, in a patch that names the version of the object as this process left it: whoever else wrote there
 * makes it fail, as it must.
 */
export function chunkedDisk(place: Place, run: string, from: From): JournalDisk {
  const path = pathOf(place, run);
  const { signal } = new AbortController();
  let chunk = from.last;
  let anchorVersion = from.head.metadata.resourceVersion;
  let seq = from.records;

  const write = async (what: Write): Promise<ConfigMap> => {
    try {
      return await writeCertainly(place, what, signal);
    } catch (error) {
      throw error instanceof ApiFailure ? writeFailed(path, error) : error;
    }
  };
  return {
    path,
    async append(line) {
      const text = line.toString("utf8").slice(0, -1);
      const bytes = line.length;
      const key = recordKey(seq + 1);
      if (bytes > MOST_RECORD_BYTES) throw tooLarge(path, seq + 1, bytes);
      const before = chunk === undefined || chunk.bytes + bytes > MOST_CHUNK_BYTES ? undefined : chunk;
      const count = before?.count ?? (chunk?.count ?? 0) + 1;
      const records = (before?.records ?? 0) + 1;
      const name = chunkName(run, count);
      const written = await write({
        name,
        ask:
          before === undefined
            ? { verb: "create", body: newConfigMap(run, "journal", name, { [key]: text }) }
            : patchAt(before.version, [[`/data/${key}`, text]]),
        isDone: ({ data = {} }) => data[key] === text && Object.keys(data).length === records,
      });
      chunk = { count, version: written.metadata.resourceVersion, records, bytes: (before?.bytes ?? 0) + bytes };
      seq += 1;
    },
    async anchor(head) {
      const written = await write({
        name: headName(run),
        ask: patchAt(anchorVersion, [
          ["/data/seq", String(head.seq)],
          ["/data/hash", head.hash],
        ]),
        isDone: ({ data = {} }) => data["seq"] === String(head.seq) && data["hash"] === head.hash,
      });
      anchorVersion = written.metadata.resourceVersion;
    },
    close: () => Promise.resolve(),
  };
}

/** As a person finds it. */
export const pathOf = ({ api }: Pick<Place, "api">, run: string): string =>
  `configmaps/${headName(run)} in namespace ${api.namespace} of ${api.context}`;

const patchAt = (version: string, values: readonly (readonly [string, string])[]) =>
  ({
    verb: "patch",
    query: { fieldManager: "midflight" },
    body: [ofVersion(version), ...values.map(([path, value]) => ({ op: "add", path, value }))],
  }) as const;

function writeFailed(path: string, failure: ApiFailure): UpgradeError {
  const { status } = failure;
  if (status === 409 || status === 404)
    return new UpgradeError(
      "JOURNAL_WRITE_FAILED",
      `somebody else changed ${path} while this run was writing it: ${status === 404 ? "it was removed" : "it is not as this process left it"}`,
      { hint: "look at `midflight status`: another conductor may act now", cause: failure },
    );
  const said = upgradeErrorOf(failure, "STATE_UNREACHABLE");
  return new UpgradeError("JOURNAL_WRITE_FAILED", `a record could not be kept in ${path}: ${said.message}`, {
    hint: `${said.hint}, then \`midflight resume\``,
    cause: failure,
  });
}

const tooLarge = (path: string, seq: number, bytes: number): UpgradeError =>
  new UpgradeError(
    "JOURNAL_WRITE_FAILED",
    `record ${seq} of ${path} has ${bytes} bytes, and an object of Kubernetes holds 1 MiB`,
    { hint: "keep the runs of this plan in a folder: --state DIR" },
  );
