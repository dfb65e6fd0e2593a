import { UpgradeError } from "../errors/upgrade-error.ts";
import { begin } from "../engine/begin.ts";
import { decide } from "../engine/decide.ts";
import type { Effect } from "../engine/effect.ts";
import type { Fact } from "../engine/fact.ts";
import type { Decision, Run } from "../engine/run.ts";
import { canonicalJson } from "../graph/fingerprint.ts";
import type { JournalRecord } from "../ports/journal.ts";

/** One line of a run's journal: a fact, and what was decided on it. */
export type Entry = { readonly seq: number; readonly fact: Fact; readonly effects: readonly Effect[] };

// The hash chain proves that the line is one that a conductor wrote.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const entryOf = (record: JournalRecord): Entry => record as unknown as Entry;

/**
 * Folds a journal into its run. The decisions are made again and must be those that the journal tells; a version that would have decided
 * otherwise says so instead of guessing. Rejects `JOURNAL_OTHER_VERSION`, `JOURNAL_CORRUPT`.
 */
export function replay(records: readonly JournalRecord[]): Run {
  let last: Run | undefined;
  for (const run of replaySteps(records)) last = run;
  if (last === undefined) throw corrupt("the journal is empty");
  return last;
}

/** The run after each record, in order. */
export function* replaySteps(records: readonly JournalRecord[]): Generator<Run> {
  let run: Run | undefined;
  for (const record of records) {
    const entry = entryOf(record);
    run = agree(decisionOn(run, entry), entry);
    yield run;
  }
}

function decisionOn(run: Run | undefined, { fact }: Entry): Decision {
  if (fact.kind === "opened") return begin(fact);
  if (run === undefined) throw corrupt("the journal does not begin with an opened run");
  return decide(run, fact);
}

const corrupt = (what: string): UpgradeError =>
  new UpgradeError("JOURNAL_CORRUPT", what, { hint: "restore the run's folder from a copy; nothing was changed" });

function agree(decision: Decision, entry: Entry): Run {
  if (canonicalJson(decision.effects) === canonicalJson(entry.effects)) return decision.run;
  throw new UpgradeError(
    "JOURNAL_OTHER_VERSION",
    `line ${entry.seq} of the journal was decided otherwise by the version that wrote it`,
    {
      hint: "resume with the version that the first line of the journal names",
    },
  );
}
