import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { JournalHead } from "../../../ports/journal-form.ts";
import { objectName, shortHash } from "../api/object-name.ts";
import type { ConfigMap, Labels } from "../api/objects.ts";

/**
 * A run as ConfigMaps of a namespace. The head says that the run is there, and vouches for the journal's last record. A journal object holds
 * some records, a key each. A file object holds one file that lies beside the journal.
 */
export type Part = "head" | "journal" | "file";

export const RUN = "midflight.dev/run";
const PART = "midflight.dev/part";

export const headName = (run: string): string => objectName("midflight-run", run);
/** Counted from 1. Their order by name is the order of their records. */
export const chunkName = (run: string, count: number): string => `${headName(run)}-j${String(count).padStart(6, "0")}`;
export const fileObject = (run: string, name: string): string => `${headName(run)}-f${shortHash(name)}`;
/** Key of a record. Their order is the order of the records. */
export const recordKey = (seq: number): string => String(seq).padStart(8, "0");

export const ofRun = (run: string, part?: Part): string =>
  `${RUN}=${shortHash(run)}${part === undefined ? "" : `,${PART}=${part}`}`;
export const allHeads = `${PART}=head`;

export const newConfigMap = (run: string, part: Part, name: string, data: Labels) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name,
    labels: { "app.kubernetes.io/managed-by": "midflight", [RUN]: shortHash(run), [PART]: part },
  },
  data,
});

/** `maker`: tells the one that made it from a rival that chose the same name. */
export const headData = (run: string, head: JournalHead, made: { readonly at: number; readonly maker: string }) => ({
  format: "1",
  run,
  created: String(made.at),
  maker: made.maker,
  seq: String(head.seq),
  hash: head.hash,
});

/** What the head vouches for. Throws `JOURNAL_CORRUPT`. */
export function anchorIn({ data = {} }: ConfigMap, path: string): JournalHead {
  const { seq = "", hash = "" } = data;
  if (/^\d{1,9}$/.test(seq) && /^[0-9a-f]{32}$/.test(hash)) return { seq: Number(seq), hash };
  throw new UpgradeError(
    "JOURNAL_CORRUPT",
    `${path} does not say where the journal ends (seq and hash), so nothing proves that no record is missing`,
    { hint: RESTORE },
  );
}

export const RESTORE =
  "restore the ConfigMaps of this run from a backup of the cluster; the recorded before-state is one of them, for mending by hand";
