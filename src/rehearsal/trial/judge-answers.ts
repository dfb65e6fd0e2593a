import type { Answer, ListedQuery, Outcome, Refusal } from "../../ports/trials.ts";
import type { TrialRule } from "./result.ts";

/** A difference between what a release got from its store before and what it gets now. */
export type Breakage = {
  readonly query: string;
  readonly rule: TrialRule;
  /** The same breakage in a later state has the same key. */
  readonly key: string;
  readonly message: string;
  readonly cohorts: readonly string[];
  readonly column?: string;
};

/** What is needed to tell one reason from another. */
export type Surroundings = {
  /** Whether the migration renames, or moves to another schema. */
  readonly renames: boolean;
  /** Tables whose row security is on now and was not before. */
  readonly secured: boolean;
  /** Columns that were not there before, as `table.column`. */
  readonly newColumns: readonly string[];
  readonly changesEnum: boolean;
};

/** The first answers of a release: what they miss is nobody's fault but the list's, and proves nothing later. */
export function judgeFirst(
  queries: readonly ListedQuery[],
  answers: readonly Answer[],
  around: Surroundings,
): readonly Breakage[] {
  return queries.flatMap(({ name }) => {
    const outcomes = outcomesOf(answers, name);
    if (outcomes.length === 0) return [unproved(name, "its sample parameters are no rows, so it was never asked", [])];
    const refused = grouped(name, outcomes, (one) => (one.kind === "refused" ? refusalOf(one, around) : undefined));
    const empty = outcomes.filter((one) => one.kind === "answered" && one.hits === 0);
    return empty.length === 0
      ? refused
      : [
          ...refused,
          unproved(
            name,
            `${empty.length} of its ${outcomes.length} samples hit no row, so they prove nothing`,
            cohortsOf(empty),
          ),
        ];
  });
}

const unproved = (query: string, message: string, cohorts: readonly string[]): Breakage => ({
  query,
  rule: "sample-hits-nothing",
  key: `${query} sample`,
  message,
  cohorts,
});

/** What was answered `then` and is otherwise `now`. Samples are the same, in the same order. */
export function judgeAnswers(
  then: readonly Answer[],
  now: readonly Answer[],
  around: Surroundings,
): readonly Breakage[] {
  return now.flatMap(({ query, outcomes }) => {
    const before = outcomesOf(then, query);
    return grouped(
      query,
      outcomes,
      (one, index) => compare(before[index] ?? before[0], one, around),
      isForAll(outcomes, before),
    );
  });
}

const outcomesOf = (answers: readonly Answer[], query: string): readonly Outcome[] =>
  answers.find((one) => one.query === query)?.outcomes ?? [];

const isForAll = (outcomes: readonly Outcome[], before: readonly Outcome[]): boolean =>
  outcomes.length === 1 && before.length > 1;

function compare(then: Outcome | undefined, now: Outcome, around: Surroundings): Difference | undefined {
  if (then?.kind !== "answered") return undefined;
  if (now.kind === "refused") return refusalOf(now, around);
  if (now.hits < then.hits)
    return {
      rule: around.secured ? "rights-removed" : "rows-out-of-reach",
      message: `it ${rowsOf(now.hits)}, and ${then.hits} before`,
    };
  if (now.shape.join() !== then.shape.join())
    return { rule: "result-shape-changed", message: `its columns are ${differenceOf(then.shape, now.shape)}` };
  if (now.hits > then.hits)
    return { rule: "row-count-changed", message: `it ${rowsOf(now.hits)}, and ${then.hits} before` };
  return undefined;
}

const rowsOf = (hits: number): string => (hits === 0 ? "finds or writes no row" : `finds or writes ${hits} rows`);

const differenceOf = (then: readonly string[], now: readonly string[]): string => {
  const [gone, come] = [then.filter((one) => !now.includes(one)), now.filter((one) => !then.includes(one))];
  if (gone.length === 0 && come.length === 0) return "in another order";
  return [...gone.map((one) => `no longer ${one}`), ...come.map((one) => `now ${one}`)].join(", ");
};

type Difference = { readonly rule: TrialRule; readonly message: string; readonly column?: string };

function refusalOf(refused: Refusal, around: Surroundings): Difference {
  const how = refused.at === "prepare" ? "cannot even be prepared" : "is refused when it runs";
  const object = refused.column === undefined ? {} : { column: refused.column };
  return {
    rule: ruleFor(refused, around),
    message: `it ${how}: ${refused.message} (${refused.state})`,
    ...object,
  };
}

/** Which rule of the lint table a refusal belongs to. */
function ruleFor({ state, table, column }: Refusal, around: Surroundings): TrialRule {
  if (state === "42703" || state === "42P01" || state === "3F000")
    return around.renames ? "rename-or-set-schema" : "drop-column-or-table";
  if (state === "42883" || state === "42704") return "drop-other-object";
  if (state === "42501") return "rights-removed";
  if (state === "P0001" || state.startsWith("P0")) return "trigger-on-hot-table";
  if (state === "22P02" && around.changesEnum) return "enum-changed";
  if (state === "23502")
    return around.newColumns.some((one) => one.endsWith(`${table ?? ""}.${column ?? ""}`))
      ? "required-column"
      : "new-rule-for-old-writers";
  if (state.startsWith("23") || state === "428C9") return "new-rule-for-old-writers";
  if (state === "0A000") return "result-shape-changed";
  return "statement-broken";
}

/** One breakage for all samples that break alike. */
function grouped(
  query: string,
  outcomes: readonly Outcome[],
  differenceAt: (one: Outcome, index: number) => Difference | undefined,
  isEverybody = false,
): readonly Breakage[] {
  const found = outcomes.flatMap((one, index) => {
    const difference = differenceAt(one, index);
    return difference === undefined ? [] : [{ one, difference }];
  });
  return [
    ...Map.groupBy(found, ({ difference }) => JSON.stringify([difference.rule, withoutValues(difference.message)])),
  ].flatMap(([, all]) => {
    const [first] = all;
    if (first === undefined) return [];
    const concerned = all.map(({ one }) => one);
    return [
      {
        query,
        ...first.difference,
        key: `${query} ${first.difference.rule} ${withoutValues(first.difference.message)}`,
        cohorts: isEverybody || concerned.length === outcomes.length ? [] : cohortsOf(concerned),
      },
    ];
  });
}

// A constraint's message holds the row that it refused, which is another one for each sample.
const withoutValues = (message: string): string => message.replaceAll(/\d+/g, "n");

const cohortsOf = (outcomes: readonly Outcome[]): readonly string[] =>
  [...new Set(outcomes.flatMap(({ cohort }) => (cohort === undefined ? [] : [cohort])))].toSorted();
