import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Answer, Asking, ListedQuery, Outcome, Sample, Samples } from "../../../ports/trials.ts";
import type { Connection } from "../connect.ts";
import { isLost, sqlState } from "../explain-error.ts";
import { serverError } from "./run.ts";

/** Not a parameter: it says whom a sample stands for. */
const COHORT = "cohort";
const MOST_SAMPLES = 1_000;
const ASK_MS = 10_000;

/** Reads the sample parameters of each query, as the store's owner. Writes nothing. Rejects `STATEMENTS_MALFORMED`. */
export const sampleWith = async (db: Connection, queries: readonly ListedQuery[]): Promise<Samples> => {
  const samples: Record<string, readonly Sample[]> = {};
  for (const query of queries) samples[query.name] = await samplesOf(db, query);
  return samples;
};

const samplesOf = async (db: Connection, query: ListedQuery): Promise<readonly Sample[]> => {
  await db.query(`begin transaction read only; set local statement_timeout = ${ASK_MS}`);
  try {
    const { rows, columns } = await db.ask({ text: query.params, values: [], timeoutMs: ASK_MS * 2 });
    const at = columns.findIndex(({ name }) => name === COHORT);
    return rows.slice(0, MOST_SAMPLES).map((row) => {
      const cohort = at < 0 ? undefined : row[at];
      return {
        values: row.filter((_, index) => index !== at),
        ...(cohort === undefined || cohort === null ? {} : { cohort }),
      };
    });
  } catch (cause) {
    if (isLost(cause) || sqlState(cause) === undefined) throw cause;
    const { message, state } = serverError(cause, (text) => text);
    throw new UpgradeError(
      "STATEMENTS_MALFORMED",
      `the sample parameters of the statement "${query.name}" cannot be read: ${message} (${state})`,
      { hint: "correct `params` in the release's statements.json", cause },
    );
  } finally {
    await db.query("rollback").catch(() => db.destroy());
  }
};

/** Prepares and runs each query with each sample, and takes everything back. `db` is the component's own session. */
export const askWith = async (db: Connection, asking: Asking): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  for (const query of asking.queries) {
    await db.query(`begin; set local statement_timeout = ${ASK_MS}`);
    try {
      answers.push({ query: query.name, outcomes: await outcomesOf(db, asking, query) });
    } finally {
      await db.query("rollback").catch(() => db.destroy());
    }
  }
  return answers;
};

const outcomesOf = async (db: Connection, asking: Asking, query: ListedQuery): Promise<readonly Outcome[]> => {
  // Read by the server and not run: a statement that it can't even read fails for everybody.
  const prepared = await attempt(db, async () => {
    await db.query(`prepare midflight_trial as ${query.sql.replace(/[\s;]+$/, "")}`);
    await db.query("deallocate midflight_trial");
  });
  if (prepared !== undefined) return [{ ...prepared, at: "prepare" }];
  for (const name of query.after ?? []) {
    const before = asking.queries.find((one) => one.name === name);
    for (const sample of asking.samples[name] ?? [])
      if (before !== undefined) await outcomeOf(db, before, sample, "keep");
  }
  const outcomes: Outcome[] = [];
  for (const sample of asking.samples[query.name] ?? []) outcomes.push(await outcomeOf(db, query, sample, "take-back"));
  return outcomes;
};

const outcomeOf = async (
  db: Connection,
  query: ListedQuery,
  sample: Sample,
  after: "keep" | "take-back",
): Promise<Outcome> => {
  const cohort = sample.cohort === undefined ? {} : { cohort: sample.cohort };
  let answer: Outcome | undefined;
  const refused = await attempt(
    db,
    async () => {
      const { hits, columns } = await db.ask({ text: query.sql, values: sample.values, timeoutMs: ASK_MS * 2 });
      await db.query("set constraints all immediate");
      answer = { ...cohort, kind: "answered", hits, shape: columns.map(({ name, type }) => `${name}:${type}`) };
    },
    after,
  );
  return answer ?? { ...cohort, ...(refused ?? NOTHING), at: "execute" };
};

type ServerRefusal = Omit<Extract<Outcome, { kind: "refused" }>, "at" | "cohort">;

const NOTHING: ServerRefusal = { kind: "refused", state: "", message: "it was not answered" };

// A refused statement would end the transaction in which the next one is asked.
const attempt = async (
  db: Connection,
  work: () => Promise<void>,
  after: "keep" | "take-back" = "take-back",
): Promise<ServerRefusal | undefined> => {
  await db.query("savepoint midflight_trial");
  let refused: ServerRefusal | undefined;
  try {
    await work();
  } catch (cause) {
    if (isLost(cause) || sqlState(cause) === undefined) throw cause;
    refused = { kind: "refused", ...serverError(cause, (text) => text) };
  }
  await db.query(
    refused === undefined && after === "keep"
      ? "release savepoint midflight_trial"
      : "rollback to savepoint midflight_trial; release savepoint midflight_trial",
  );
  return refused;
};
