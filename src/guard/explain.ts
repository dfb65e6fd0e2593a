import type { Operation } from "../plan/model.ts";
import { VENUE_OPERATIONS } from "../plan/operations-of.ts";
import { shareOf, tally, type Count, type Source } from "./count.ts";
import { luckOfKeepingTo } from "./luck.ts";
import { protocolOf, shardOf, type Protocol } from "./protocol.ts";

/** What a sentence is about: counts since the failures began, of the side that is judged and of the one it is compared with. */
export type Scene = {
  readonly judged: readonly Count[];
  readonly control: readonly Count[];
  /** Such as "after metadata orders-db"; "" for none. */ readonly when: string;
};

/** One sentence with counts: "amend in tokyo on gateway@2.1: 14 of 39 failed (mostly 50026), 0 of 41 on gateway@2.0". */
export const explain = (scene: Scene): string => {
  const all = sourceWithMost(scene.judged);
  const protocol = failingProtocol(all);
  const judged = all.filter(isOver(protocol));
  const told = { ...scene, judged, control: scene.control.filter(isOver(protocol)) };
  const over = protocol === undefined ? "" : ` over ${protocol}`;
  const cohorts = hotCohorts(judged);
  return cohorts.length > 0 ? cohortSentence(cohorts, told, over) : sliceSentence(told, over);
};

/** "order", "order and amend", "order, amend and cancel". */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? "nothing") : `${words.slice(0, -1).join(", ")} and ${String(words.at(-1))}`;

/** Places in which a good part of the failures lie. */
export const regionsOf = (counts: readonly Count[]): readonly string[] =>
  hotBy(sourceWithMost(counts), ({ region }) => region).toSorted();

const isOver =
  (protocol: Protocol | undefined) =>
  ({ cohort }: Count): boolean =>
    protocol === undefined || protocolOf(cohort) === protocol;

/** The protocol that fails while the other is well; undefined where both fail, where there is one only, or where luck could look like that. */
const failingProtocol = (counts: readonly Count[]): Protocol | undefined => {
  const groups = [...Map.groupBy(counts, ({ cohort }) => protocolOf(cohort))].map(([name, members]) => ({
    name,
    ...tally(members),
  }));
  const [worst, other] = groups.toSorted((a, b) => shareOf(b) - shareOf(a));
  // Stryker disable next-line ConditionalExpression: without a worst there is no other
  if (worst === undefined) return undefined;
  if (other === undefined || worst.failed < 3) return undefined;
  const expected = ((worst.failed + other.failed) * other.issued) / (worst.issued + other.issued);
  const isTotal = shareOf(worst) >= 0.6 && other.issued >= 5 && shareOf(other) <= 0.1;
  return isTotal || (expected >= EXPECTED_AT_LEAST && other.failed <= expected / 10) ? worst.name : undefined;
};
/** Failures that the other protocol should have by its part in the operations, before their absence says anything: e⁻⁷ is one in a thousand. */
const EXPECTED_AT_LEAST = 7;

const cohortSentence = (cohorts: readonly string[], { judged, when }: Scene, over: string): string => {
  const hit = judged.filter(({ cohort }) => cohorts.includes(shardOf(cohort)));
  const { issued, failed } = tally(hit);
  const fails = operationsOf(hit).length === 1 ? "fails" : "fail";
  const told = `${cohorts.join(", ")}: ${listed(operationsOf(hit))}${over} ${fails} (${failed} of ${issued}${mostly(hit)})`;
  return [told, when].filter((part) => part !== "").join(" ");
};

const sliceSentence = ({ judged, control, when }: Scene, over: string): string => {
  const [operations, regions] = [operationsOf(judged), regionsOf(judged)];
  const matches = (count: Count): boolean => operations.includes(count.operation) && regions.includes(count.region);
  const slice = judged.filter(matches);
  const { issued, failed } = tally(slice);
  const codes = mostly(slice) === "" ? "" : ` (${mostly(slice).slice(2)})`;
  const told = `${listed(operations)}${over} in ${listed(regions)}${onReleases(slice)}: ${failed} of ${issued} failed${codes}`;
  return [told + comparedWith(control, matches, slice[0]?.source), when].filter((part) => part !== "").join(" ");
};

const comparedWith = (
  control: readonly Count[],
  matches: (count: Count) => boolean,
  source: Source | undefined,
): string => {
  const same = control.filter((count) => count.source === source);
  const near = same.filter(matches);
  const counts = near.length > 0 ? near : same;
  const { issued, failed } = tally(counts);
  if (issued === 0) return "";
  return `, ${failed} of ${issued}${onReleases(counts)}${near.length > 0 ? "" : ` in ${listed([...new Set(same.map(({ region }) => region))].toSorted())}`}`;
};

const onReleases = (counts: readonly Count[]): string => {
  const releases = [...new Set(counts.map(({ release }) => release))]
    .filter((release) => release !== "unknown")
    .toSorted();
  return releases.length === 0 ? "" : ` on ${listed(releases)}`;
};

const mostly = (counts: readonly Count[]): string => {
  const codes = new Map<string, number>();
  for (const count of counts)
    for (const [code, times] of Object.entries(count.codes ?? {})) codes.set(code, (codes.get(code) ?? 0) + times);
  const [top] = [...codes].toSorted(([, a], [, b]) => b - a);
  if (top === undefined) return "";
  return `, ${codes.size === 1 ? "" : "mostly "}${top[0]}`;
};

// Probes also pass the counters of the instances that they reach: one source tells the story, or operations would be told twice.
const sourceWithMost = (counts: readonly Count[]): readonly Count[] => {
  const [probes, live] = [
    counts.filter(({ source }) => source === "probes"),
    counts.filter(({ source }) => source === "live"),
  ];
  return tally(probes).failed > tally(live).failed ? probes : live;
};

const operationsOf = (counts: readonly Count[]): readonly Operation[] =>
  hotBy(counts, ({ operation }) => operation)
    .toSorted()
    .toSorted((a, b) => rankOf(a) - rankOf(b));

/** A venue's operations in the order of an order's life, others after them. */
const rankOf = (operation: Operation): number => {
  const rank = VENUE_OPERATIONS.findIndex((name) => name === operation);
  return rank < 0 ? VENUE_OPERATIONS.length : rank;
};

/** Groups that fail at least a third as often as the worst, and hold some of the failures. */
const hotBy = <Name extends string>(counts: readonly Count[], nameOf: (count: Count) => Name): readonly Name[] => {
  const groups = [...Map.groupBy(counts, nameOf)].map(([name, members]) => ({ name, ...tally(members) }));
  const worst = Math.max(...groups.map(shareOf));
  return groups.filter((group) => group.failed > 0 && shareOf(group) >= worst / 3).map(({ name }) => name);
};

/** A few cohorts that the failures keep to: they fail nearly totally while the rest is well, or luck would spread the failures wider. */
const hotCohorts = (counts: readonly Count[]): readonly string[] => {
  const groups = [...Map.groupBy(counts, ({ cohort }) => shardOf(cohort))].map(([name, members]) => ({
    name,
    ...tally(members),
  }));
  const worst = Math.max(...groups.map(shareOf));
  const total = groups.filter((group) => shareOf(group) >= 0.6);
  // One operation may be bad luck; beside a cohort that fails for certain it is the same story.
  if (total.some(({ failed }) => failed >= 2) && holdsMost(total, groups)) return namesOf(total);
  // The counts of the first moment also hold what went well just before it, which hides that a cohort fails totally.
  const hot = groups.filter((group) => shareOf(group) >= worst / 3);
  const luck = luckOfKeepingTo(summed(hot), summed(groups));
  // Stryker disable next-line EqualityOperator: no counts give exactly this chance
  return holdsMost(hot, groups) && luck <= 0.01 ? namesOf(hot) : [];
};

type Group = { readonly name: string; readonly issued: number; readonly failed: number };

const namesOf = (groups: readonly Group[]): readonly string[] => groups.map(({ name }) => name).toSorted();

const summed = (groups: readonly Group[]) => ({
  count: groups.length,
  issued: groups.reduce((sum, { issued }) => sum + issued, 0),
  failed: groups.reduce((sum, { failed }) => sum + failed, 0),
});

/** A few groups, and nearly all that fail. */
const holdsMost = (some: readonly Group[], all: readonly Group[]): boolean =>
  some.length * 2 <= all.length && summed(some).failed >= 0.8 * summed(all).failed;
