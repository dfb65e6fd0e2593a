import { Bug } from "../../src/errors/bug.ts";
import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { Journal, JournalBody, JournalRecord, RunStore } from "../../src/ports/journal.ts";

/** A moment at which a conductor can be killed. `before`: nothing is durable yet. `after`: it is durable, and nobody was told. */
export type Moment = { readonly when: "before" | "after"; readonly run: string } & (
  | { readonly kind: "append"; readonly seq: number; readonly body: JournalBody }
  | { readonly kind: "file"; readonly name: string }
);

/** What a write rejects with when its process was killed. */
export class Killed extends Error {
  constructor(moment: Moment) {
    super(
      `killed ${moment.when} ${moment.kind === "append" ? `record ${moment.seq}` : moment.name} of ${moment.run} became durable`,
    );
    this.name = "Killed";
  }
}

/** Runs in memory. What was acknowledged is durable; a crash forgets nothing else, because nothing else is kept. */
export type FakeRunStore = RunStore & {
  /** Called at every moment, in order. Throwing here kills: that write and every later one of the same life rejects with what was thrown. */
  onMoment: ((moment: Moment) => void) | undefined;
  /** Kills at the n-th moment from now, 1-based. */
  crashAt(n: number): void;
  /** Ends this life: journals that are open now reject for ever. `open` begins another. */
  kill(reason?: unknown): void;
  /** Makes the next append fail as a full disk does, and all later ones of its journal. */
  fillDisk(): void;
  /** Moments so far. */
  readonly moments: number;
  /** What a crash now would leave. */
  durable(run: string): readonly JournalRecord[];
};

type Kept = { readonly records: JournalRecord[]; readonly files: Map<string, string> };
type Life = { end: { readonly reason: unknown } | undefined };

const RESERVED = ["seq", "format", "hash"];

export const fakeRunStore = (): FakeRunStore => {
  const runs = new Map<string, Kept>();
  let life: Life = { end: undefined };
  let moments = 0;
  let crashIn = Number.POSITIVE_INFINITY;
  let isFull = false;

  const kept = (run: string): Kept => {
    const found = runs.get(run);
    if (found === undefined)
      throw new UpgradeError("RUN_NOT_FOUND_HERE", `there is no run ${run}`, { hint: "`midflight runs` lists them" });
    return found;
  };
  const end = (reason: unknown): never => {
    life.end = { reason };
    life = { end: undefined };
    throw reason;
  };
  const pass = (moment: Moment): void => {
    moments += 1;
    crashIn -= 1;
    if (crashIn === 0) end(new Killed(moment));
    try {
      store.onMoment?.(moment);
    } catch (reason) {
      end(reason);
    }
  };

  const journalOf = (run: string, mine: Life): Journal => {
    const { records } = kept(run);
    let failed: UpgradeError | undefined;
    let isClosed = false;
    let last: Promise<unknown> = Promise.resolve();
    const write = (body: JournalBody): JournalRecord => {
      if (isClosed) throw new Bug(`the journal of ${run} was closed`);
      if (mine.end !== undefined) throw mine.end.reason;
      if (failed !== undefined) throw failed;
      if (isFull) {
        isFull = false;
        failed = new UpgradeError(
          "JOURNAL_WRITE_FAILED",
          `the disk is full; record ${records.length + 1} of ${run} was not written`,
          { hint: "make room, then `midflight resume`" },
        );
        throw failed;
      }
      const taken = RESERVED.find((key) => key in body);
      if (taken !== undefined) throw new Bug(`the journal writes "${taken}" itself`);
      const record = JSON.parse(JSON.stringify({ seq: records.length + 1, ...body })) as JournalRecord;
      pass({ kind: "append", when: "before", run, seq: record.seq, body });
      records.push(record);
      for (const { key, told } of watchers) if (key === keyOf(run, "the journal")) told(undefined);
      pass({ kind: "append", when: "after", run, seq: record.seq, body });
      return record;
    };
    return {
      records,
      append(body) {
        const written = last.then(() => write(body));
        last = written.catch(() => undefined);
        return written;
      },
      async close() {
        await last;
        isClosed = true;
      },
    };
  };

  const watchers = new Set<{ readonly key: string; readonly told: (text: string | undefined) => void }>();
  const keyOf = (run: string, name: string): string => `${run} ${name}`;

  const store: FakeRunStore = {
    onMoment: undefined,
    crashAt(n) {
      crashIn = n;
    },
    kill(reason = new Error("killed")) {
      life.end = { reason };
      life = { end: undefined };
    },
    fillDisk() {
      isFull = true;
    },
    get moments() {
      return moments;
    },
    durable: (run) => [...kept(run).records],
    async create(run) {
      if (runs.has(run))
        throw new UpgradeError("RUN_EXISTS", `run ${run} exists`, {
          hint: "start again: every run gets a name of its own",
        });
      runs.set(run, { records: [], files: new Map() });
      return journalOf(run, life);
    },
    async open(run) {
      return journalOf(run, life);
    },
    read: async (run) => [...kept(run).records],
    list: async () => [...runs.keys()].toReversed(),
    async putFile(run, name, text) {
      const { files } = kept(run);
      pass({ kind: "file", when: "before", run, name });
      files.set(name, text);
      for (const { key, told } of watchers) if (key === keyOf(run, name)) told(text);
      pass({ kind: "file", when: "after", run, name });
      return store.pathOf(run, name);
    },
    getFile: async (run, name) => kept(run).files.get(name),
    watchFile(run, name, told, signal) {
      const watcher = { key: keyOf(run, name), told };
      watchers.add(watcher);
      signal.addEventListener("abort", () => watchers.delete(watcher), { once: true });
      told(kept(run).files.get(name));
    },
    watchJournal(run, changed, signal) {
      const watcher = { key: keyOf(run, "the journal"), told: () => changed() };
      watchers.add(watcher);
      signal.addEventListener("abort", () => watchers.delete(watcher), { once: true });
      changed();
    },
    folder: async (run) => {
      kept(run);
      return `/fake/runs/${run}`;
    },
    pathOf: (run, name) => `/fake/runs/${run}/${name}`,
    async remove(run) {
      kept(run);
      runs.delete(run);
    },
  };
  return store;
};
