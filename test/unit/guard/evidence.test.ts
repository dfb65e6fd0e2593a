import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  alternatives,
  evidenceIn,
  foldBin,
  foldOutcome,
  foldRestBin,
  freshMixture,
  stepMass,
  type Mixture,
} from "../../../src/guard/evidence.ts";

const p0 = 0.001;

/** The form of the reference values: the bin after a failing one has the factor 1 and no mass. */
const bins = (shares: readonly number[], rests: boolean): readonly number[] => {
  let mixture = freshMixture;
  let isResting = false;
  return shares.map((share) => {
    if (isResting) isResting = false;
    else {
      mixture = foldBin(mixture, { share, mass: 1, p0 });
      isResting = rests && share > 0;
    }
    return evidenceIn(mixture);
  });
};

const outcomes = (failures: readonly number[], mass: number, first = mass): readonly number[] => {
  let mixture: Mixture = alternatives(p0).map(() => 0);
  return failures.map((failed, index) => {
    mixture = foldOutcome(mixture, failed === 1, { mass: index === 0 ? first : mass, p0 });
    return evidenceIn(mixture);
  });
};

const near = (values: readonly number[], wanted: readonly number[]): void => {
  expect(values).toHaveLength(wanted.length);
  // Six digits of the printed value.
  values.forEach((value, index) => expect(Math.abs(value / (wanted[index] ?? 0) - 1)).toBeLessThan(6e-6));
};

describe("evidence equals the reference values", () => {
  test.each([
    { name: "single outcomes", got: outcomes([1, 0, 0, 1, 1], 1), wanted: [202.1, 68.2136, 49.2606, 11944.7, 4.486e6] },
    {
      name: "four failures in a row",
      got: outcomes([1, 1, 1, 1], 1),
      wanted: [202.1, 134954.6, 115174423, 1.070459e11],
    },
    { name: "seconds form", got: outcomes([1, 1, 1, 1], 0.02), wanted: [4.042, 2699.092, 2303488.5, 2.140917e9] },
    { name: "step-aware", got: outcomes([1, 1], 1, 648_000), wanted: [1.309608e8, 8.731962e10] },
    {
      name: "bins",
      got: bins([0, 0.1, 0, 1, 1, 1], false),
      wanted: [0.6475, 50.0907, 23.0017, 9123.28, 4.91263e6, 3.10378e9],
    },
    {
      name: "bins with rest",
      got: bins([0, 0.1, 0, 1, 1, 1], true),
      wanted: [0.6475, 50.0907, 50.0907, 28112.0, 28112.0, 1.9351e7],
    },
    { name: "failing bins", got: bins([1, 1, 1], false), wanted: [353.148, 216302, 1.56521e8] },
  ])("$name", ({ got, wanted }) => near(got, wanted));

  test("a thousand successes, then three failures", () => {
    const all = outcomes([...Array.from({ length: 1000 }, () => 0), 1, 1, 1], 1);
    near(
      [all[0], all[9], all[999], all[1000], all[1001], all[1002]].map((value) => value ?? 0),
      [0.798699, 6.299188, 121.101382, 1079.43, 203086, 1.34955e8],
    );
  });

  test("a look into the running bin", () => {
    const two = foldBin(foldBin(freshMixture, { share: 1, mass: 1, p0 }), { share: 1, mass: 1, p0 });
    near(
      [0, 0.1, 0.2].map((share) => evidenceIn(foldBin(two, { share, mass: 1, p0 }))),
      [59842.0, 1.570598e7, 3.135211e7],
    );
  });
});

describe("the promise of few false alarms", () => {
  const anyMixture = fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 8, maxLength: 8 });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test("a bin that fails as often as the baseline allows adds no more than its mass on average", () => {
    const fair = fc.property(anyMixture, fc.double({ min: 0.01, max: 1, noNaN: true }), (mixture, high) => {
      // A bin fails with share `high` so seldom that its mean is p0.
      const chance = p0 / high;
      if (chance > 1) return;
      const mean =
        chance * evidenceIn(foldBin(mixture, { share: high, mass: 1, p0 })) +
        (1 - chance) * evidenceIn(foldBin(mixture, { share: 0, mass: 1, p0 }));
      expect(mean).toBeLessThanOrEqual((evidenceIn(mixture) + 1) * (1 + 1e-9));
    });
    fc.assert(fair);
  });

  test("more failures in a bin never lower suspicion", () => {
    const monotonic = fc.property(anyMixture, share, share, (mixture, one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      expect(evidenceIn(foldBin(mixture, { share: more, mass: 0.1, p0 }))).toBeGreaterThanOrEqual(
        evidenceIn(foldBin(mixture, { share: less, mass: 0.1, p0 })),
      );
      expect(evidenceIn(foldRestBin(mixture, { excess: more, p0 }))).toBeGreaterThanOrEqual(
        evidenceIn(foldRestBin(mixture, { excess: less, p0 })),
      );
    });
    fc.assert(monotonic);
  });

  test("a step brings half of its mass at once and all of it within 30 s", () => {
    expect([-1, 0, 15_000, 30_000, 90_000].map((ms) => stepMass(100, ms))).toEqual([0, 50, 75, 100, 100]);
  });
});
