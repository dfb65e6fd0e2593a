import fc from "fast-check";
import { expect, test } from "vitest";
import type { InstanceRecord } from "../../../../src/adapters/process/registry.ts";
import type { Seen } from "../../../../src/adapters/process/site.ts";
import { serves, weightFor, workFor } from "../../../../src/adapters/process/work.ts";

const seen = (
  ordinal: number,
  how: Partial<Seen> & { readonly stage?: InstanceRecord["stage"]; readonly digest?: string } = {},
): Seen => {
  const { stage = "running", digest = "sha256:a", ...rest } = how;
  const record: InstanceRecord = {
    format: 1,
    id: `${digest}-${ordinal}`,
    component: "gateway",
    region: "tokyo",
    release: "gateway@1.0",
    digest,
    ordinal,
    stage,
    port: 20_000 + ordinal,
    startedAt: 0,
    path: "/",
    run: ["node"],
  };
  return { record, isAlive: true, isReady: true, ...rest };
};
const wanted = (count: number) => ({ release: "gateway@1.0", digest: "sha256:a", count });
const brief = (work: ReturnType<typeof workFor>) => ({
  keep: work.keep.map(({ record }) => record.ordinal),
  add: work.ordinals,
  retire: work.retire.map(({ record }) => record.ordinal),
});

test.each([
  { name: "nothing there: all are new", there: [], count: 2, does: { keep: [], add: [1, 2], retire: [] } },
  {
    name: "enough there: nothing to do",
    there: [seen(1), seen(2)],
    count: 2,
    does: { keep: [1, 2], add: [], retire: [] },
  },
  { name: "a hole is filled first", there: [seen(1), seen(3)], count: 3, does: { keep: [1, 3], add: [2], retire: [] } },
  {
    name: "the highest leave first",
    there: [seen(3), seen(1), seen(2)],
    count: 1,
    does: { keep: [1], add: [], retire: [2, 3] },
  },
  {
    name: "the dead leave before those who serve",
    there: [seen(1, { isAlive: false, isReady: false }), seen(2)],
    count: 1,
    does: { keep: [2], add: [], retire: [1] },
  },
  {
    name: "who is leaving leaves before those who serve",
    there: [seen(1, { stage: "draining" }), seen(2)],
    count: 1,
    does: { keep: [2], add: [], retire: [1] },
  },
  {
    name: "who is leaving and needed stays",
    there: [seen(1), seen(2, { stage: "draining" })],
    count: 2,
    does: { keep: [1, 2], add: [], retire: [] },
  },
  {
    name: "the dead who are needed come back",
    there: [seen(1, { isAlive: false, isReady: false })],
    count: 1,
    does: { keep: [1], add: [], retire: [] },
  },
  {
    name: "other digests are not its business",
    there: [seen(1, { digest: "sha256:b" })],
    count: 1,
    does: { keep: [], add: [1], retire: [] },
  },
])("$name", ({ there, count, does }) => {
  expect(brief(workFor(wanted(count), there))).toEqual(does);
});

const anySeen = fc.record({
  ordinal: fc.integer({ min: 1, max: 12 }),
  isAlive: fc.boolean(),
  isReady: fc.boolean(),
  stage: fc.constantFrom("starting", "running", "draining", "stopping"),
});
const anyRegion = fc
  .uniqueArray(anySeen, { selector: ({ ordinal }) => ordinal, maxLength: 12 })
  .map((all) =>
    all.map(({ ordinal, isAlive, isReady, stage }) => seen(ordinal, { isAlive, isReady: isAlive && isReady, stage })),
  );

const places = ({ keep, ordinals }: ReturnType<typeof workFor>): readonly number[] => [
  ...keep.map(({ record }) => record.ordinal),
  ...ordinals,
];
const byOrdinal = (all: readonly Seen[]): readonly Seen[] =>
  all.toSorted((a, b) => a.record.ordinal - b.record.ordinal);
/** Holds for whatever is there, and whatever is wanted. */
const always = (claim: (work: ReturnType<typeof workFor>, there: readonly Seen[], count: number) => boolean): void =>
  fc.assert(fc.property(anyRegion, fc.nat(12), (there, count) => claim(workFor(wanted(count), there), there, count)));

test("whatever is there, the count comes out, and no place is taken twice", () => {
  expect(() =>
    always((work, _there, count) => places(work).length === count && new Set(places(work)).size === count),
  ).not.toThrow();
});

test("whatever is there, everybody stays or leaves", () => {
  expect(() =>
    always(
      ({ keep, retire }, there) =>
        byOrdinal([...keep, ...retire]).every((one, index) => one === byOrdinal(there)[index]) &&
        keep.length + retire.length === there.length,
    ),
  ).not.toThrow();
});

test("whatever is there, nobody who serves leaves while somebody who doesn't stays", () => {
  expect(() => always(({ keep, retire }) => !retire.some(serves) || keep.every(serves))).not.toThrow();
});

test.each([
  { name: "the first ones take it", rank: 2, rules: [{ digest: "a", admitted: 2, weightPct: 40 }], takes: 40 },
  { name: "the rest take nothing", rank: 3, rules: [{ digest: "a", admitted: 2, weightPct: 40 }], takes: 0 },
  {
    name: "a digest that is not named keeps what it has",
    rank: 1,
    rules: [{ digest: "b", admitted: 2, weightPct: 40 }],
    takes: undefined,
  },
  {
    name: "of two rules the one that admits counts",
    rank: 1,
    rules: [
      { digest: "a", admitted: 0, weightPct: 100 },
      { digest: "a", admitted: 1, weightPct: 70 },
    ],
    takes: 70,
  },
])("$name", ({ rank, rules, takes }) => {
  expect(weightFor(rules, "a", rank)).toBe(takes);
});
