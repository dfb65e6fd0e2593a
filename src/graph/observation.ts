/**
 * What the world looks like, in our words: the data that ports hand over, that facts carry, and that an undo restores.
 */
/** One running (or dead but recorded) instance of a component in a region. */
export type Instance = {
  readonly id: string;
  /** `gateway@2.0`; "?" if nothing tells. */
  readonly release: string;
  readonly digest: string;
  /** 1-based place among the instances of its release in this region. Low ones are kept longest. */
  readonly ordinal: number;
  /** Alive and answering its ready check. */
  readonly ready: boolean;
  /** Share that the balancer gives it: 0 (dark or withdrawn) to 100. */
  readonly weightPct: number;
  /** `127.0.0.1:7120`, where it can be probed directly. */
  readonly address?: string;
};

export type WorkloadState = {
  readonly region: string;
  readonly instances: readonly Instance[];
  /** What somebody else changed of that by which users reach them, in words. */
  readonly foreign?: string;
};

/** How many instances of each digest shall run. A digest that is not named shall not run, unless `foreign` to the run. */
export type Shape = {
  readonly releases: readonly { readonly release: string; readonly digest: string; readonly count: number }[];
  readonly drain: { readonly noticeMs: number; readonly deadlineMs: number };
};

/** The first `admitted` instances (by ordinal) of a digest take `weightPct` each; the rest take nothing. */
export type Weighing = readonly { readonly digest: string; readonly admitted: number; readonly weightPct: number }[];

export type MetadataState = {
  /** sha256 over the catalogue, midflight's own tables left out. */
  readonly fingerprint: string;
  /** In order of application. */
  readonly applied: readonly { readonly name: string; readonly sha256: string }[];
  readonly server: string;
};

/** What a migration did, for reports. */
export type MigrationReport = {
  readonly name: string;
  readonly direction: "up" | "down";
  readonly ms: number;
  readonly statements: number;
  /** Lock time-outs that were waited out. */
  readonly lockRetries: number;
};
