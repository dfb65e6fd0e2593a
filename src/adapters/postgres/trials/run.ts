import { messageOf } from "../../../errors/message-of.ts";
import type { Migration } from "../../../plan/model.ts";
import type { Part, RunFailure, ServerError, TracedRun, TracedStatement } from "../../../ports/trials.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Connection } from "../connect.ts";
import { isLost, sqlState } from "../explain-error.ts";
import { fileOf, lineBreaksBefore, split } from "../split.ts";
import type { Statement } from "../split.ts";
import { kindOf } from "../statement-kind.ts";
import { LONG_MS } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { outside, relationsOf, traceOn } from "./trace.ts";
import type { Trace } from "./trace.ts";
import { traitsOf } from "./traits.ts";

/** A file that is being run: what is known of it so far. */
type Course = {
  readonly ground: Ground;
  readonly db: Connection;
  readonly part: Part;
  readonly statements: TracedStatement[];
  readonly trace: Trace;
};

/** A statement that the server refused. Carried up to the file that it ends. */
class Refused extends Error {
  readonly failure: RunFailure;

  constructor(failure: RunFailure) {
    super(failure.message);
    this.name = "Refused";
    this.failure = failure;
  }
}

/** As the runner does it: a file in one transaction with its verification, or statement by statement where the file says so. */
export const runWhole = (ground: Ground, db: Connection, migration: Migration, part: Part): Promise<TracedRun> =>
  traced(ground, db, migration, part, async (course, statements) => {
    const verify = part === "up" ? await split(migration, "verify") : [];
    if (!migration.transactional) {
      for (const statement of statements) await runAlone(course, statement);
      await inTransaction(course, () => verified(course, verify));
      return;
    }
    await inTransaction(course, async () => {
      for (const statement of statements) course.statements.push(await watched(course, statement));
      await settled(course, statements.at(-1));
      await verified(course, verify);
    });
  });

/** Each statement in a transaction of its own, so that others see what it did before the next one runs. */
export const runApart = (
  ground: Ground,
  db: Connection,
  migration: Migration,
  after: (statement: TracedStatement) => Promise<"go-on" | "enough">,
): Promise<TracedRun> =>
  traced(ground, db, migration, "up", async (course, statements) => {
    for (const statement of statements) {
      await runAlone(course, statement);
      const last = course.statements.at(-1);
      if (last !== undefined && (await after(last)) === "enough") return;
    }
  });

const traced = async (
  ground: Ground,
  db: Connection,
  migration: Migration,
  part: Part,
  work: (course: Course, statements: readonly Statement[]) => Promise<void>,
): Promise<TracedRun> => {
  const now = (): number => ground.clock.monotonic();
  const startedAt = now();
  const course: Course = {
    ground,
    db,
    part,
    statements: [],
    trace: traceOn(db, await relationsOf(db), now),
  };
  let failure: RunFailure | undefined;
  try {
    await work(course, await split(migration, part));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    failure = error.failure;
  }
  return {
    file: fileOf(migration, part),
    statements: course.statements,
    ms: Math.round(now() - startedAt),
    invalidIndexes: await invalidIndexes(db),
    ...(failure === undefined ? {} : { failure }),
  };
};

const runAlone = async (course: Course, statement: Statement): Promise<void> => {
  const { kind } = kindOf(statement);
  if (kind === "coupled")
    return inTransaction(course, async () => {
      course.statements.push(await watched(course, statement));
      await settled(course, statement);
    });
  const run = () =>
    outside(
      statement,
      () => send(course, statement, LONG_MS),
      () => course.ground.clock.monotonic(),
    );
  course.statements.push(await run());
};

const watched = (course: Course, statement: Statement): Promise<TracedStatement> =>
  course.trace.watch(statement, () => send(course, statement, course.ground.budgets.statementTimeoutMs + MARGIN_MS));

const MARGIN_MS = 10_000;

const inTransaction = async ({ ground, db }: Course, work: () => Promise<void>): Promise<void> => {
  const { lockTimeoutMs, statementTimeoutMs } = ground.budgets;
  await db.query(
    `begin; set local lock_timeout = ${lockTimeoutMs}; set local statement_timeout = ${statementTimeoutMs}`,
  );
  try {
    await work();
    await db.query("commit", undefined, LONG_MS);
  } catch (error) {
    await db.query("rollback").catch(() => db.destroy());
    throw error;
  }
};

/** Deferred constraints have their say where it can be told whose fault it is. */
const settled = async (course: Course, last: Statement | undefined): Promise<void> => {
  if (last !== undefined) await send(course, { ...last, text: "set constraints all immediate" }, MARGIN_MS);
};

const verified = async (course: Course, statements: readonly Statement[]): Promise<void> => {
  await course.db.query("savepoint midflight_verify");
  for (const statement of statements) await send(course, statement, course.ground.budgets.verifyMs, "verify");
  await course.db.query("rollback to savepoint midflight_verify");
};

const send = async (
  course: Course,
  statement: Statement,
  timeoutMs: number,
  where: RunFailure["in"] = course.part,
): Promise<void> => {
  try {
    await course.db.query(statement.text, undefined, timeoutMs);
  } catch (cause) {
    if (cause instanceof UpgradeError || isLost(cause) || sqlState(cause) === undefined) throw cause;
    throw new Refused({
      ...serverError(cause, (text) => course.ground.source.redact(text)),
      in: where,
      file: statement.file,
      line: statement.line + lineBreaksBefore(statement.text, Number(fieldOf(cause, "position") ?? 1) - 1),
      number: statement.number,
      firstLine: statement.firstLine,
      traits: traitsOf(statement.tree),
    });
  }
};

/** What the server said, as data. */
export const serverError = (cause: unknown, redact: (text: string) => string): ServerError => {
  const message = redact(messageOf(cause));
  const column =
    fieldOf(cause, "column") ??
    /column "?(?:[\w$]+\.)?([\w$]+)"? (?:of relation .+ )?does not exist/.exec(message)?.[1];
  const table = fieldOf(cause, "table") ?? /relation "(.+)" does not exist/.exec(message)?.[1];
  const constraint = fieldOf(cause, "constraint");
  return {
    state: sqlState(cause) ?? "",
    message,
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
    ...(constraint === undefined ? {} : { constraint }),
  };
};

const fieldOf = (value: unknown, name: string): string | undefined => {
  const field =
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof field === "string" && field !== "" ? field : undefined;
};

const invalidIndexes = async (db: Connection): Promise<readonly string[]> =>
  (
    await db.query("select indexrelid::regclass::text as name from pg_catalog.pg_index where not indisvalid order by 1")
  ).map((row) => String(row["name"]));
