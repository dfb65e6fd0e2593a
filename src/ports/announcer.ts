/** One thing that became of an upgrade, for whoever looks at the upgraded object with its own tools. */
export type Announcement = {
  readonly component: string;
  readonly regions: readonly string[];
  /** One word, such as `BatchDone`. */
  readonly reason: string;
  /** One sentence. */
  readonly note: string;
  readonly isWarning: boolean;
};

/** Writes announcements to the objects themselves. A run never waits for it, and nothing of a run depends on it. */
export interface Announcer {
  /** Returns at once. */
  announce(announcement: Announcement): void;
  /** Resolves once everything was written, or after `limitMs`; with why something could not be, said once. */
  flush(limitMs: number): Promise<string | undefined>;
}
