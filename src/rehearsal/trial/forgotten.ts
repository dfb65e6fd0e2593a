import type { CountedStatement, StatementLog } from "../../ports/statement-log.ts";
import type { Drill } from "../drill.ts";
import type { ListedRelease } from "./order.ts";

export type Counting = {
  readonly store: string;
  /** Of the components that use it. */
  readonly roles: readonly string[];
  readonly releases: readonly ListedRelease[];
  readonly log: StatementLog;
};

/** More statements than this are counted, not listed. */
const MOST_NAMED = 20;
const MOST_SHOWN = 200;

/**
 * Counts what the releases send to a store from now on. Resolves with the way to end it: the drill that names what came and stands in no
 * release's list. Such a statement was tried on no clone, so nobody knows whether the migrations still serve it.
 */
export async function countStatements(
  counting: Counting,
  signal: AbortSignal,
): Promise<() => Promise<readonly Drill[]>> {
  const { log, roles } = counting;
  const before = await log.counted(roles, signal);
  return async () => {
    const after = before === undefined ? undefined : await log.counted(roles, signal);
    return before === undefined || after === undefined
      ? [uncounted(counting)]
      : [await judge(counting, newSince(before, after))];
  };
}

const keyOf = ({ role, sql }: CountedStatement): string => `${role} ${sql}`;

function newSince(
  before: readonly CountedStatement[],
  after: readonly CountedStatement[],
): readonly CountedStatement[] {
  const calls = new Map(before.map((one) => [keyOf(one), one.calls]));
  // Counters start anew when somebody resets them.
  return after.flatMap((one) => {
    const had = calls.get(keyOf(one)) ?? 0;
    const more = one.calls >= had ? one.calls - had : one.calls;
    return more > 0 ? [{ ...one, calls: more }] : [];
  });
}

async function judge({ store, releases, log }: Counting, sent: readonly CountedStatement[]): Promise<Drill> {
  const listed = new Set(
    await Promise.all(releases.flatMap(({ queries }) => queries.map(({ sql }) => log.shapeOf(sql)))),
  );
  const shaped = await Promise.all(sent.map(async (one) => ({ ...one, shape: await log.shapeOf(one.sql) })));
  const queries = shaped.filter(({ shape }) => shape !== undefined);
  const forgotten = queries.filter(({ shape }) => !listed.has(shape)).toSorted((a, b) => b.calls - a.calls);
  const lists = [...new Set(releases.map(({ release }) => release))].join(" and ");
  if (forgotten.length === 0)
    return drill(
      store,
      "passed",
      `${queries.length} statements came to ${store}; the lists of ${lists} name each of them`,
    );
  const more = forgotten.length - MOST_NAMED;
  return drill(
    store,
    "skipped",
    [
      `the lists of ${lists} forgot ${forgotten.length} of ${queries.length} statements, so these were tried on no clone:`,
      ...forgotten.slice(0, MOST_NAMED).map(({ role, sql, calls }) => `${calls} × by ${role}: ${oneLine(sql)}`),
      ...(more > 0 ? [`and ${more} more`] : []),
    ].join("\n"),
  );
}

const uncounted = ({ store }: Counting): Drill =>
  drill(
    store,
    "skipped",
    `${store} has no pg_stat_statements that may be read: what the lists forgot was not looked for`,
  );

const drill = (store: string, outcome: Drill["outcome"], detail: string): Drill => ({
  name: `statements that the lists of ${store} forgot`,
  step: "plan",
  kind: "trial",
  outcome,
  ms: 0,
  detail,
});

const oneLine = (sql: string): string => {
  const line = sql.replaceAll(/\s+/g, " ").trim();
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
};
