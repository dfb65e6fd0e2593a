import fc from "fast-check";
import { expect, test } from "vitest";
import {
  exchangeFor,
  placementsFor,
  withdrawalFor,
  type Counts,
  type Placement,
} from "../../../../src/adapters/kubernetes/placement.ts";

const brief = (placements: readonly Placement[]): readonly string[] =>
  placements.map(
    ({ before, after, template, replicas, maxSurge, maxUnavailable }) =>
      `${before}/${after} ${template} r${replicas} s${maxSurge} u${maxUnavailable}`,
  );
const counts = (before: number, after: number): Counts => ({ before, after });

test.each<{ name: string; from: Counts; to: Counts; replicas: number; steps: readonly string[] }>([
  {
    name: "two new ones come beside ten old ones",
    from: counts(10, 0),
    to: counts(10, 2),
    replicas: 10,
    steps: ["10/2 after r10 s2 u0"],
  },
  {
    name: "the first two old ones leave",
    from: counts(10, 2),
    to: counts(8, 2),
    replicas: 10,
    steps: ["8/2 after r10 s0 u2"],
  },
  {
    name: "the next two come, and nobody leaves for them",
    from: counts(8, 2),
    to: counts(8, 4),
    replicas: 10,
    steps: ["8/4 after r10 s2 u0"],
  },
  {
    name: "the last old ones leave",
    from: counts(2, 10),
    to: counts(0, 10),
    replicas: 10,
    steps: ["0/10 after r10 s0 u10"],
  },
  {
    name: "without surplus the old ones leave first",
    from: counts(10, 0),
    to: counts(8, 0),
    replicas: 10,
    steps: ["8/0 before r8 s0 u8"],
  },
  {
    name: "and the new ones come in their place, with no other number of replicas",
    from: counts(8, 0),
    to: counts(8, 2),
    replicas: 8,
    steps: ["8/2 after r8 s2 u0"],
  },
  {
    name: "a half-done upgrade goes back: the old ones come before the new ones leave",
    from: counts(8, 4),
    to: counts(10, 0),
    replicas: 10,
    steps: ["10/4 before r10 s4 u0", "10/0 before r10 s0 u10"],
  },
  {
    name: "more replicas are stated by a patch that moves no pod, while pods of two templates are there",
    from: counts(4, 4),
    to: counts(10, 4),
    replicas: 8,
    steps: ["8/4 before r8 s4 u0", "8/4 before r10 s2 u6", "10/4 before r10 s4 u0"],
  },
  { name: "nothing to do is nothing to write", from: counts(3, 1), to: counts(3, 1), replicas: 3, steps: [] },
])("$name", ({ from, to, replicas, steps }) => {
  expect(brief(placementsFor(from, to, replicas))).toEqual(steps);
});

test.each<{ name: string; from: Counts; full: number; replicas: number; steps: readonly string[] }>([
  {
    name: "new ones that are accused leave at once, and the old ones fill up beside them",
    from: counts(8, 4),
    full: 10,
    replicas: 10,
    steps: ["10/0 before r10 s2 u10"],
  },
  {
    name: "beside fewer of them than are missing come as many",
    from: counts(7, 2),
    full: 10,
    replicas: 9,
    steps: ["9/0 before r9 s2 u9", "10/0 before r10 s0 u10"],
  },
  {
    name: "where nobody is missing, nobody comes",
    from: counts(10, 2),
    full: 10,
    replicas: 10,
    steps: ["10/0 before r10 s0 u10"],
  },
  {
    name: "where fewer replicas are stated they leave first, and more are stated when one template is left",
    from: counts(4, 4),
    full: 10,
    replicas: 8,
    steps: ["8/0 before r8 s4 u8", "10/0 before r10 s0 u10"],
  },
  { name: "where there are none, none leave", from: counts(10, 0), full: 10, replicas: 10, steps: [] },
])("$name", ({ from, full, replicas, steps }) => {
  expect(brief(withdrawalFor(from, "after", full, replicas))).toEqual(steps);
});

const anyStart = fc
  .record({ before: fc.nat(12), after: fc.nat(12), more: fc.nat(12) })
  .map(({ before, after, more }) => ({
    from: { before, after },
    replicas: Math.min(Math.max(before, after) + more, before + after),
  }));

test("wherever a Deployment stands, it comes to the counts that were ordered, and never below both", () => {
  const property = fc.property(anyStart, fc.nat(12), fc.nat(12), ({ from, replicas }, before, after) => {
    let last: Counts & { readonly replicas: number } = { ...from, replicas };
    for (const step of placementsFor(from, { before, after }, replicas)) {
      expect(step.before, "old ones").toBeGreaterThanOrEqual(Math.min(from.before, before));
      expect(step.after, "new ones").toBeGreaterThanOrEqual(Math.min(from.after, after));
      stopsThere(step);
      spreadsNothing(last, step);
      last = step;
    }
    expect({ before: last.before, after: last.after }).toEqual({ before, after });
  });
  fc.assert(property, { numRuns: 2_000 });
});

/** The two rules of the Deployment controller, with pods that are never available. */
function stopsThere({ before, after, template, replicas, maxSurge, maxUnavailable }: Placement): void {
  const [own, other] = template === "before" ? [before, after] : [after, before];
  expect(Math.min(replicas, replicas + maxSurge - other), "pods of the template that is rolled to").toBe(own);
  const isStill = maxUnavailable === 0 || own === 0 || replicas - maxUnavailable === other;
  expect(isStill, "pods of the other one stay, or none may leave at all").toBe(true);
  expect(maxSurge + maxUnavailable, "the API server refuses both zero").toBeGreaterThan(0);
}

/** While both templates have pods, `replicas` changes only where the controller has nothing to add or to take. */
function spreadsNothing(last: Counts & { readonly replicas: number }, step: Placement): void {
  if (last.before === 0 || last.after === 0 || last.replicas === step.replicas) return;
  expect(step.replicas + step.maxSurge).toBe(last.before + last.after);
}

test("an accused release is out with the first patch, and no patch takes from the other one", () => {
  const property = fc.property(anyStart, fc.nat(12), ({ from, replicas }, full) => {
    fc.pre(from.before > 0 && from.after > 0);
    const [first, ...rest] = withdrawalFor(from, "after", full, replicas);
    expect(first?.after).toBe(0);
    for (const step of [first, ...rest]) expect(step?.before).toBeGreaterThanOrEqual(from.before);
    expect([first, ...rest].at(-1)?.before).toBe(Math.max(from.before, full));
  });
  fc.assert(property);
});

test.each<{ name: string; from: Counts; to: Counts; step: string | undefined }>([
  {
    name: "the next two come while the two leave whose places are taken",
    from: counts(10, 2),
    to: counts(8, 4),
    step: "8/4 after r10 s2 u2",
  },
  { name: "the last batch comes the same way", from: counts(4, 8), to: counts(2, 10), step: "2/10 after r10 s2 u8" },
  { name: "nobody leaves whose place is not taken yet", from: counts(10, 2), to: counts(7, 4), step: undefined },
  { name: "the first batch has nobody to leave for it", from: counts(10, 0), to: counts(10, 2), step: undefined },
  { name: "the end is no exchange", from: counts(2, 10), to: counts(0, 10), step: undefined },
  { name: "the way back is none either", from: counts(8, 4), to: counts(10, 2), step: undefined },
])("by one order: $name", ({ from, to, step }) => {
  const placement = exchangeFor(from, to, 10);
  expect(placement === undefined ? undefined : brief([placement])[0]).toBe(step);
});
