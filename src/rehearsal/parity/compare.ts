import type { EnvironmentClass } from "../../plan/model.ts";
import { NOT_THERE, type EnvironmentFact, type FactGroup, type FactValue, type Severity } from "../../ports/facts.ts";
import { isExpired, matches, type PlacedAcceptance } from "./accept.ts";
import { meetings, type Meeting } from "./same-place.ts";
import { withoutRows } from "./without-rows.ts";

/** One of the two that are compared. `takenAt`: of a snapshot, ms since the epoch. */
export type Side = {
  readonly name: string;
  readonly class: EnvironmentClass;
  readonly facts: readonly EnvironmentFact[];
  readonly takenAt?: number;
};

/** `a`, `b`: absent where the fact is not there on that side. */
export type Difference = {
  readonly id: string;
  readonly component?: string;
  readonly group: FactGroup;
  readonly severity: Severity;
  readonly a?: FactValue;
  readonly b?: FactValue;
  /** Why it is one, where the values do not say it. */
  readonly why?: string;
};

export type Comparison = {
  /** `drift`: an environment and what it was. */
  readonly kind: "parity" | "drift";
  readonly a: Omit<Side, "facts">;
  readonly b: Omit<Side, "facts">;
  /** Those that nobody accepted, worst first. */
  readonly differences: readonly Difference[];
  readonly accepted: readonly { readonly difference: Difference; readonly by: PlacedAcceptance }[];
  /** Acceptances whose day is over; what they accepted is among the differences. */
  readonly expired: readonly PlacedAcceptance[];
  /** Acceptances that no difference needs. */
  readonly unused: readonly PlacedAcceptance[];
  /** Reference tables that are named, and there on neither side. */
  readonly notThere: readonly string[];
};

/** Everything in which two environments differ. `now`: ms since the epoch. */
export function compare(first: Side, second: Side, accept: readonly PlacedAcceptance[], now: number): Comparison {
  // A snapshot holds no rows: of both sides only whether a table is as it was can be told then.
  const isRowless = first.takenAt !== undefined || second.takenAt !== undefined;
  const [a, b] = isRowless ? [rowless(first), rowless(second)] : [first, second];
  const kind = a.name === b.name ? "drift" : "parity";
  const all = [...(kind === "parity" ? together(a, b) : moved(a, b)), ...unequal(a, b)].toSorted(worstFirst);
  // What was agreed to differ between demo and production says nothing about a change of either.
  const given = kind === "parity" ? accept : [];
  const valid = given.filter((acceptance) => !isExpired(acceptance, now));
  const judged = all.map((difference) => ({ difference, by: valid.find((one) => accepts(one, difference)) }));
  return {
    kind,
    a: withoutFacts(a),
    b: withoutFacts(b),
    differences: judged.flatMap(({ difference, by }) => (by === undefined ? [difference] : [])),
    accepted: judged.flatMap(({ difference, by }) => (by === undefined ? [] : [{ difference, by }])),
    expired: given.filter((acceptance) => isExpired(acceptance, now)),
    unused: valid.filter((acceptance) => !all.some((difference) => accepts(acceptance, difference))),
    notThere: a.facts
      .filter(({ id, value, group }) => group === "reference" && isMissing(value) && isMissing(valueIn(b, id)))
      .map(({ id }) => id),
  };
}

const rowless = (side: Side): Side => ({ ...side, facts: withoutRows(side.facts) });

/** Whether something is left that should not be. */
export const isAlike = ({ differences }: Comparison): boolean =>
  differences.every(({ severity }) => severity === "info");

/** The same comparison, of what `isMeant` says alone. What two sides have in common as a place always counts. */
export const restricted = (comparison: Comparison, isMeant: (id: string) => boolean): Comparison => {
  const counts = ({ id, group }: Difference): boolean => group === "identity" || isMeant(id);
  return {
    ...comparison,
    differences: comparison.differences.filter((difference) => counts(difference)),
    accepted: comparison.accepted.filter(({ difference }) => counts(difference)),
    notThere: comparison.notThere.filter((id) => isMeant(id)),
  };
};

function unequal(a: Side, b: Side): readonly Difference[] {
  const [here, there] = [byId(a), byId(b)];
  return [...new Set([...here.keys(), ...there.keys()])].flatMap((id): Difference[] => {
    const [one, other] = [here.get(id), there.get(id)];
    const fact = one ?? other;
    if (fact === undefined || fact.rule === "apart" || isAlikeBy(fact, one?.value, other?.value)) return [];
    return [
      {
        id,
        ...(fact.component === undefined ? {} : { component: fact.component }),
        group: fact.group,
        severity: fact.severity,
        ...(one === undefined ? {} : { a: one.value }),
        ...(other === undefined ? {} : { b: other.value }),
      },
    ];
  });
}

const byId = ({ facts }: Side): ReadonlyMap<string, EnvironmentFact> => new Map(facts.map((fact) => [fact.id, fact]));
const valueIn = ({ facts }: Side, id: string): FactValue | undefined => facts.find((fact) => fact.id === id)?.value;
const isMissing = (value: FactValue | undefined): boolean =>
  value === undefined || (typeof value === "string" && value.startsWith(NOT_THERE));

function isAlikeBy({ rule }: EnvironmentFact, a: FactValue | undefined, b: FactValue | undefined): boolean {
  if (rule === "scale") return a === undefined || b === undefined || isSameScale(a, b);
  return a !== undefined && b !== undefined && isEqual(a, b);
}

function isEqual(a: FactValue, b: FactValue): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

/** Below this a table is small, whatever the other one is: rows or bytes. */
const LEAST: Readonly<Record<string, number>> = { rows: 10_000, bytes: 10_000_000 };
const TIMES = 10;

function isSameScale(a: FactValue, b: FactValue): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return Object.entries(LEAST).every(([name, least]) => {
    const [low = 0, high = 0] = [Number(a[name] ?? 0), Number(b[name] ?? 0)].toSorted((x, y) => x - y);
    return high < least || high <= low * TIMES;
  });
}

/** Addresses mean something only where both are asked from one machine. */
const together = (a: Side, b: Side): readonly Difference[] =>
  meetings(a.facts, b.facts)
    .filter((meeting) => typeof meeting.a.value !== "string" || (a.takenAt === undefined && b.takenAt === undefined))
    .map((meeting) => differenceOf(meeting, "block"));

/** The same environment must be at one place, unless it moved. A server that was only started again is worth a word. */
const moved = (a: Side, b: Side): readonly Difference[] =>
  a.facts.flatMap((one): Difference[] => {
    const other = b.facts.find(({ id }) => id === one.id);
    if (one.rule !== "apart" || other === undefined || isEqual(one.value, other.value)) return [];
    const isSameStore =
      typeof one.value !== "string" &&
      typeof other.value !== "string" &&
      one.value["system"] === other.value["system"] &&
      one.value["database"] === other.value["database"];
    return [
      isSameStore
        ? differenceOf({ a: one, b: other, why: "the server was started again" }, "info")
        : differenceOf({ a: one, b: other, why: "it is another one than it was" }, "warn"),
    ];
  });

const differenceOf = ({ a, b, why }: Meeting, severity: Severity): Difference => ({
  id: a.id === b.id ? a.id : `${a.id} = ${b.id}`,
  ...(a.component === undefined ? {} : { component: a.component }),
  group: "identity",
  severity,
  a: a.value,
  b: b.value,
  why,
});

/** That two environments are one is no difference that anybody could agree to. */
const accepts = (acceptance: PlacedAcceptance, { id, group }: Difference): boolean =>
  group !== "identity" && matches(acceptance.fact, id);

const RANK: Readonly<Record<Severity, number>> = { block: 0, warn: 1, info: 2 };
const worstFirst = (a: Difference, b: Difference): number =>
  RANK[a.severity] - RANK[b.severity] ||
  Number(b.group === "identity") - Number(a.group === "identity") ||
  (a.id < b.id ? -1 : 1);

const withoutFacts = ({ name, class: kind, takenAt }: Side): Omit<Side, "facts"> => ({
  name,
  class: kind,
  ...(takenAt === undefined ? {} : { takenAt }),
});
