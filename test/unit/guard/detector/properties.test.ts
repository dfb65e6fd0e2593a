import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dispersionOf, upperBaseline } from "../../../../src/guard/detector/baseline.ts";
import { foldIntoBins, freshBinStream } from "../../../../src/guard/detector/bin-stream.ts";
import { foldBin, foldCleanBins, freshBins } from "../../../../src/guard/detector/bins.ts";
import { mixLevels } from "../../../../src/guard/detector/levels.ts";
import { evidenceIn, freshMixture, type Mixture } from "../../../../src/guard/detector/mixture.ts";
import { foldIntoStream, freshOutcomeStream } from "../../../../src/guard/detector/outcome-stream.ts";
import { foldOutcome, foldSuccesses, outcomeBets } from "../../../../src/guard/detector/outcomes.ts";
import { isAlarm, massSince, promisedBy, STEPS_PAID } from "../../../../src/guard/detector/promise.ts";
import {
  foldMore,
  foldSigns,
  freshSigns,
  secondsPerSign,
  type SignStream,
} from "../../../../src/guard/detector/signs.ts";

const WEEK_SEC = 7 * 86_400;
const anyP0 = fc.double({ min: 1e-5, max: 0.4, noNaN: true });
const anyMass = fc.double({ min: 0, max: 2, noNaN: true });
const mixtureOf = (parts: number): fc.Arbitrary<Mixture> =>
  fc.array(fc.double({ min: 0, max: 1e13, noNaN: true }), { minLength: parts, maxLength: parts });
const anyCount = fc.oneof(fc.integer({ min: -2, max: 2_000 }), fc.constantFrom(NaN, Infinity, -Infinity, 1e300));

const isSound = (mixture: Mixture): boolean => mixture.every((part) => part >= 0 && Number.isFinite(part));

describe("single outcomes", () => {
  const anyCase = anyP0.chain((p0) => fc.tuple(fc.constant(p0), mixtureOf(outcomeBets(p0).failed.length), anyMass));

  test("a failing outcome never lowers suspicion, and says more than a success", () => {
    const holds = fc.property(anyCase, ([p0, mixture, mass]) => {
      const bets = outcomeBets(p0);
      const [failed, passed] = [true, false].map((isFailed) => foldOutcome(mixture, bets, { isFailed, mass }));
      expect(evidenceIn(failed ?? [])).toBeGreaterThanOrEqual(evidenceIn(mixture));
      expect(evidenceIn(failed ?? [])).toBeGreaterThanOrEqual(evidenceIn(passed ?? []));
    });
    fc.assert(holds);
  });

  test("at the baseline an outcome adds its mass on average, whatever was before", () => {
    const holds = fc.property(anyCase, ([p0, mixture, mass]) => {
      const bets = outcomeBets(p0);
      const [failed = 0, passed = 0] = [true, false].map((isFailed) =>
        evidenceIn(foldOutcome(mixture, bets, { isFailed, mass })),
      );
      const expected = evidenceIn(mixture) + mass;
      expect(Math.abs(p0 * failed + (1 - p0) * passed - expected)).toBeLessThanOrEqual(1e-9 * expected + 1e-280);
    });
    fc.assert(holds);
  });

  test("successes in a row are the same one by one and at once", () => {
    const holds = fc.property(anyCase, fc.integer({ min: 1, max: 300 }), ([p0, mixture, mass], count) => {
      const bets = outcomeBets(p0);
      let single = mixture;
      for (let index = 0; index < count; index++) single = foldOutcome(single, bets, { isFailed: false, mass });
      const many = foldSuccesses(mixture, bets, { count, mass });
      many.forEach((part, index) => {
        const wanted = single[index] ?? NaN;
        expect(Math.abs(part - wanted)).toBeLessThanOrEqual(1e-9 * wanted + 1e-280);
      });
    });
    fc.assert(holds, { numRuns: 40 });
  });

  test("streams of different rate that fail alike per second hold alike evidence: mass is in seconds", () => {
    const bets = outcomeBets(0.001);
    const evidence = [50, 500].map((rate) => {
      const quiet = foldSuccesses(freshMixture(10), bets, { count: rate * 600, mass: 1 / rate });
      return evidenceIn(foldOutcome(quiet, bets, { isFailed: true, mass: 1 / rate }));
    });
    // Ten times the samples say ten times sooner that all is well, and no more than that.
    expect((evidence[0] ?? NaN) / (evidence[1] ?? NaN)).toBeGreaterThan(5);
    expect((evidence[0] ?? NaN) / (evidence[1] ?? NaN)).toBeLessThan(15);
  });

  test("what happens while a stream rests changes nothing, and then it goes on", () => {
    const bets = outcomeBets(0.001);
    const how = { bets, restMs: 50 };
    const first = foldIntoStream(freshOutcomeStream(bets), { at: 0, isFailed: true, mass: 0.02 }, how);
    const during = [10, 20, 49].reduce(
      (soFar, at) => foldIntoStream(soFar, { at, isFailed: true, mass: 0.02 }, how),
      first,
    );
    expect(during).toEqual(first);
    const after = foldIntoStream(during, { at: 50, isFailed: true, mass: 0.02 }, how);
    expect(evidenceIn(after.mixture)).toBeGreaterThan(100 * evidenceIn(first.mixture));
    expect(after.restUntil).toBe(100);
  });
});

describe("bins", () => {
  const anyBin = fc.record({
    issued: fc.integer({ min: 1, max: 1_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  test("more failures in a bin never lower suspicion, and a failing bin above the baseline raises it", () => {
    const holds = fc.property(mixtureOf(8), anyBin, anyBin, anyP0, (mixture, { issued, share }, other, p0) => {
      const [less, more] = [share, other.share].toSorted((a, b) => a - b).map((part) => Math.round(part * issued));
      const after = (failed = 0): number => evidenceIn(foldBin(mixture, { issued, failed, seconds: 0.1 }, p0));
      expect(after(more)).toBeGreaterThanOrEqual(after(less));
      const worse = Math.max(more ?? 0, Math.ceil(p0 * issued));
      expect(after(worse)).toBeGreaterThanOrEqual(evidenceIn(mixture));
    });
    fc.assert(holds);
  });

  test("a bin whose share is the baseline on average adds its seconds on average, however failures hang together in it", () => {
    const holds = fc.property(mixtureOf(8), anyP0, anyBin, (mixture, p0, { issued, share }) => {
      // The bin fails with this share so seldom that the mean is p0.
      const failed = Math.max(1, Math.ceil(Math.max(share, p0) * issued));
      const chance = p0 / (failed / issued);
      const mean =
        chance * evidenceIn(foldBin(mixture, { issued, failed, seconds: 0.1 }, p0)) +
        (1 - chance) * evidenceIn(foldBin(mixture, { issued, failed: 0, seconds: 0.1 }, p0));
      const expected = evidenceIn(mixture) + 0.1;
      expect(Math.abs(mean - expected)).toBeLessThanOrEqual(1e-9 * expected + 1e-280);
    });
    fc.assert(holds);
  });

  test("no data changes nothing, and numbers that are none neither", () => {
    const nothing = fc.constantFrom(
      { issued: 0, failed: 0 },
      { issued: NaN, failed: 0 },
      { issued: 10, failed: NaN },
      { issued: -3, failed: 1 },
      { issued: 10, failed: -1 },
    );
    const holds = fc.property(mixtureOf(8), nothing, (mixture, counts) => {
      expect(foldBin(mixture, { ...counts, seconds: 0.1 }, 0.001)).toBe(mixture);
      const stream = { mixture, restUntil: 5 };
      expect(foldIntoBins(stream, { ...counts, seconds: 0.1, from: 0, to: 100 }, 0.001)).toBe(stream);
    });
    fc.assert(holds);
  });

  test("clean bins are the same one by one and at once", () => {
    const holds = fc.property(mixtureOf(8), anyP0, fc.integer({ min: 1, max: 400 }), (mixture, p0, count) => {
      let single = mixture;
      for (let index = 0; index < count; index++) single = foldBin(single, { issued: 7, failed: 0, seconds: 0.1 }, p0);
      foldCleanBins(mixture, { count, seconds: 0.1 }).forEach((part, index) => {
        const wanted = single[index] ?? NaN;
        expect(Math.abs(part - wanted)).toBeLessThanOrEqual(1e-9 * wanted + 1e-280);
      });
    });
    fc.assert(holds, { numRuns: 40 });
  });

  test("a total failure is found within three seconds by the rarest promise and the highest baseline that a plan may state", () => {
    const century = promisedBy(100 * 31_536_000);
    const found = (p0: number): number => {
      let stream = freshBinStream;
      for (let index = 0; index < 1_000; index++) {
        const [from, to] = [index * 100, index * 100 + 100];
        stream = foldIntoBins(stream, { issued: 10, failed: 10, seconds: 0.1, from, to }, p0);
        if (isAlarm(evidenceIn(stream.mixture), century)) return to;
      }
      return Infinity;
    };
    for (const p0 of [1e-6, 1e-3, 0.01, 0.0499]) expect(found(p0)).toBeLessThanOrEqual(3_000);
  });

  test("a burst that crosses the edge of a bin counts once", () => {
    const bin = (index: number, failed: number) => ({
      issued: 10,
      failed,
      seconds: 0.1,
      from: index * 100,
      to: index * 100 + 100,
    });
    const [one, two] = [[3], [3, 7]].map((bins) =>
      bins.reduce((stream, failed, index) => foldIntoBins(stream, bin(index, failed), 0.001), freshBinStream),
    );
    expect(two?.mixture).toEqual(one?.mixture);
    const third = foldIntoBins(two ?? freshBinStream, bin(2, 3), 0.001);
    expect(evidenceIn(third.mixture)).toBeGreaterThan(evidenceIn(two?.mixture ?? []));
  });
});

describe("a rest that is stated", () => {
  const bin = (from: number, to: number, failed: number) => ({
    issued: 10,
    failed,
    seconds: (to - from) / 1_000,
    from,
    to,
    restMs: 100,
  });
  const evidenceAfter = (bins: readonly (readonly [from: number, to: number, failed: number])[]): number =>
    evidenceIn(
      bins.reduce((stream, [from, to, failed]) => foldIntoBins(stream, bin(from, to, failed), 0.001), freshBinStream)
        .mixture,
    );

  test("lasts as long as it says however short the bins are, so that shorter bins count a burst no more often", () => {
    const first = [0, 100, 3] as const;
    const during = [100, 120, 140, 160].map((from) => [from, from + 20, 2] as const);
    expect(evidenceAfter([first, ...during])).toBe(evidenceAfter([first]));
    const after = [180, 200, 2] as const;
    expect(evidenceAfter([first, ...during, after])).toBeGreaterThan(evidenceAfter([first]) * 10);
  });

  test("makes one bin rest after one that was much longer", () => {
    const long = [0, 2_000, 3] as const;
    expect(evidenceAfter([long, [2_000, 2_100, 3]])).toBe(evidenceAfter([long]));
    expect(evidenceAfter([long, [2_000, 2_100, 3], [2_100, 2_200, 3]])).toBeGreaterThan(evidenceAfter([long]) * 10);
  });

  test("is not prolonged by failures in it: whoever fails on and on is found", () => {
    const bins = Array.from({ length: 40 }, (_, index) => [index * 20, index * 20 + 20, 10] as const);
    expect(evidenceAfter(bins)).toBeGreaterThan(5_184_000);
  });

  test("holds for signs too", () => {
    const sides = { fresh: { issued: 10, failed: 2 }, old: { issued: 10, failed: 0 }, mass: 1 };
    const signs = (froms: readonly number[], restMs: number): number =>
      evidenceIn(
        froms.reduce((stream, from) => foldSigns(stream, { ...sides, from, to: from + 20, restMs }), freshSigns)
          .mixture,
      );
    expect(signs([0, 20, 40, 60], 100)).toBe(signs([0], 100));
    expect(signs([0, 20, 40, 60], 20)).toBe(signs([0, 40], 20));
  });
});

describe("new against old", () => {
  const anySide = fc
    .integer({ min: 1, max: 60 })
    .chain((issued) => fc.record({ issued: fc.constant(issued), failed: fc.integer({ min: 0, max: issued }) }));
  const FOLDS = [
    { name: "exactly one fails", fold: foldSigns },
    { name: "one has more", fold: foldMore },
  ];

  test.each(FOLDS)("$name: one more on the new side never speaks for it", ({ fold }) => {
    const holds = fc.property(mixtureOf(10), anySide, anySide, (mixture, fresh, old) => {
      fc.pre(fresh.failed < fresh.issued);
      const after = (failed: number): number => {
        const bin = { fresh: { issued: fresh.issued, failed }, old, from: 0, to: 100, mass: 0 };
        return evidenceIn(fold({ mixture, restUntil: -Infinity }, bin).mixture);
      };
      expect(after(fresh.failed + 1)).toBeGreaterThanOrEqual(after(fresh.failed) * (1 - 1e-12));
    });
    fc.assert(holds);
  });

  test.each(FOLDS)("$name: sides of different size that are alike add their mass at most, on average", ({ fold }) => {
    const holds = fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 0.001, max: 0.6, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (one, other, rate, before) => {
        const stream = { mixture: freshSigns.mixture.map(() => before), restUntil: -Infinity };
        const meanWith = (mass: number): number => {
          let mean = 0;
          for (let a = 0; a <= one; a++)
            for (let b = 0; b <= other; b++) {
              const [fresh, old] = [
                { issued: one, failed: a },
                { issued: other, failed: b },
              ];
              const chance = binomial(one, a, rate) * binomial(other, b, rate);
              mean += chance * evidenceIn(fold(stream, { fresh, old, from: 0, to: 100, mass }).mixture);
            }
          return mean;
        };
        expect(Math.abs(meanWith(0) - before)).toBeLessThanOrEqual(1e-9 * (before + 1));
        expect(meanWith(1)).toBeLessThanOrEqual((before + 1) * (1 + 1e-9));
      },
    );
    fc.assert(holds, { numRuns: 50 });
  });

  test("a bin in which exactly one side fails stands for its seconds, so that evidence is in seconds", () => {
    const [size, rate] = [5, 0.01];
    let mean = 0;
    for (let a = 0; a <= size; a++)
      for (let b = 0; b <= size; b++) {
        const sides = { fresh: { issued: size, failed: a }, old: { issued: size, failed: b } };
        const mass = secondsPerSign({ fresh: size, old: size, ms: 100 }, rate);
        const told = evidenceIn(foldSigns(freshSigns, { ...sides, from: 0, to: 100, mass }).mixture);
        mean += binomial(size, a, rate) * binomial(size, b, rate) * told;
      }
    expect(mean).toBeCloseTo(0.1, 9);
  });

  test("counts that are none change nothing", () => {
    const old = { issued: 9, failed: 2 };
    const strange = [
      { issued: 3, failed: 4 },
      { issued: Infinity, failed: 1 },
      { issued: NaN, failed: 1 },
      { issued: 5, failed: -1 },
      { issued: 5, failed: NaN },
    ];
    for (const fresh of strange)
      for (const { fold } of FOLDS)
        expect(fold(freshSigns, { fresh, old, from: 0, to: 100, mass: 1 })).toBe(freshSigns);
  });

  test("a side that fails without pause is seen in every other bin", () => {
    const failing = { fresh: { issued: 9, failed: 9 }, old: { issued: 9, failed: 0 }, mass: 1 };
    const play = (bins: number, everyMs: number): SignStream =>
      Array.from({ length: bins }, (_, index) => index * everyMs).reduce(
        (stream, from) => foldSigns(stream, { ...failing, from, to: from + 100 }),
        freshSigns,
      );
    expect(play(9, 100).mixture).toEqual(play(5, 1_000).mixture);
  });

  test("a bin right after a failing one is skipped, and a side without outcomes proves nothing", () => {
    const failing = { fresh: { issued: 9, failed: 3 }, old: { issued: 9, failed: 0 }, mass: 1 };
    const first = foldSigns(freshSigns, { ...failing, from: 0, to: 100 });
    expect(foldSigns(first, { ...failing, from: 100, to: 200 }).mixture).toBe(first.mixture);
    const alone = foldSigns(freshSigns, { ...failing, old: { issued: 0, failed: 0 }, from: 0, to: 100 });
    expect(evidenceIn(alone.mixture)).toBe(0);
  });

  test("the seconds that a sign stands for are finite and never negative", () => {
    const holds = fc.property(anyCount, anyCount, anyP0, (fresh, old, p0) => {
      const seconds = secondsPerSign({ fresh: Math.max(0, fresh || 0), old: Math.max(0, old || 0), ms: 100 }, p0);
      expect(seconds).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(seconds)).toBe(true);
    });
    fc.assert(holds);
  });
});

describe("nothing overflows", () => {
  test("a week of nothing but failures, and one of nothing but successes", () => {
    const bets = outcomeBets(1e-5);
    let [bad, bins, signs] = [freshMixture(bets.failed.length), freshBins, freshSigns];
    // The ceiling is reached within seconds; the rest of the week changes nothing.
    for (let index = 0; index < 5_000; index++) {
      bad = foldOutcome(bad, bets, { isFailed: true, mass: 2 });
      bins = foldBin(bins, { issued: 1e9, failed: 1e9, seconds: 2 }, 1e-5);
      const sides = { fresh: { issued: 20, failed: 20 }, old: { issued: 20, failed: 0 } };
      signs = foldSigns(signs, { ...sides, from: index * 1_000, to: index * 1_000 + 1, mass: 2 });
    }
    const good = foldSuccesses(bad, bets, { count: WEEK_SEC * 2_000, mass: 1 / 2_000 });
    const clean = foldCleanBins(bins, { count: WEEK_SEC * 20, seconds: 0.05 });
    for (const mixture of [bad, bins, signs.mixture, good, clean]) expect(isSound(mixture)).toBe(true);
    expect(evidenceIn(good)).toBeLessThan(WEEK_SEC);
    expect(evidenceIn(clean)).toBeLessThan(WEEK_SEC);
  });

  test("no number makes a bin's evidence anything but a number", () => {
    const holds = fc.property(fc.array(fc.tuple(anyCount, anyCount)), anyP0, (counts, p0) => {
      const stream = counts.reduce(
        (soFar, [issued, failed], index) =>
          foldIntoBins(soFar, { issued, failed, seconds: 0.1, from: index * 100, to: index * 100 + 100 }, p0),
        freshBinStream,
      );
      expect(isSound(stream.mixture)).toBe(true);
    });
    fc.assert(holds);
  });
});

describe("many streams", () => {
  const levelOf = (weight: number, evidence: readonly number[]) => ({
    weight,
    streams: evidence.length,
    total: evidence.reduce((sum, one) => sum + one, 0),
  });

  test("the order of strata does not matter, and no evidence is more than the largest", () => {
    const anyLevel = fc.record({
      weight: fc.double({ min: 0.1, max: 1, noNaN: true }),
      evidence: fc.array(fc.double({ min: 0, max: 1e13, noNaN: true }), { maxLength: 30 }),
    });
    const holds = fc.property(fc.array(anyLevel), (levels) => {
      const mixed = mixLevels(levels.map(({ weight, evidence }) => levelOf(weight, evidence)));
      const turned = mixLevels(
        levels.toReversed().map(({ weight, evidence }) => levelOf(weight, evidence.toReversed())),
      );
      expect(Math.abs(turned - mixed)).toBeLessThanOrEqual(1e-9 * mixed + 1e-280);
      expect(mixed).toBeLessThanOrEqual(Math.max(0, ...levels.flatMap(({ evidence }) => evidence)) * (1 + 1e-9));
    });
    fc.assert(holds);
  });

  test("a level that has no stream yet takes no weight", () => {
    expect(mixLevels([levelOf(1, [8, 4]), levelOf(3, [])])).toBe(6);
    expect(mixLevels([])).toBe(0);
  });
});

describe("the promise", () => {
  test("a step brings half of its mass at once and all of it within 30 s", () => {
    expect([-1, 0, 15_000, 30_000, 90_000].map((ms) => massSince(100, ms))).toEqual([0, 50, 75, 100, 100]);
  });

  test("time and every step that is paid cost one false alarm in the promised time, no more", () => {
    const promised = promisedBy(WEEK_SEC);
    expect((WEEK_SEC + STEPS_PAID * promised.stepMass) / promised.alarm).toBeCloseTo(1, 9);
  });

  test("evidence that is no number alarms instead of sleeping", () => {
    expect([NaN, 2 * WEEK_SEC, 2 * WEEK_SEC - 1].map((evidence) => isAlarm(evidence, promisedBy(WEEK_SEC)))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe("a measured baseline", () => {
  test("is never better than what was counted, and worse with less data or with bursts", () => {
    const holds = fc.property(
      fc.integer({ min: 100, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (issued, share) => {
        const failed = Math.floor(issued * share);
        const bound = upperBaseline({ issued, failed, dispersion: 1 });
        expect(bound).toBeGreaterThanOrEqual(failed / issued);
        expect(bound).toBeLessThanOrEqual(1);
        expect(upperBaseline({ issued, failed, dispersion: 3 })).toBeGreaterThanOrEqual(bound * (1 - 1e-9));
        expect(upperBaseline({ issued: issued * 10, failed: failed * 10, dispersion: 1 })).toBeLessThanOrEqual(
          bound * (1 + 1e-9),
        );
      },
    );
    fc.assert(holds, { numRuns: 60 });
  });

  test("of nothing is no baseline, and of much is never zero", () => {
    expect(upperBaseline({ issued: 0, failed: 0, dispersion: 1 })).toBe(1);
    expect(upperBaseline({ issued: 1e12, failed: 0, dispersion: 1 })).toBe(1e-5);
    expect(upperBaseline({ issued: NaN, failed: 0, dispersion: 1 })).toBe(1);
  });

  test("knows bursts by the spread of failures over seconds", () => {
    const of = (...counts: readonly number[]): number =>
      dispersionOf({
        seconds: counts.length,
        failed: counts.reduce((sum, count) => sum + count, 0),
        squares: counts.reduce((sum, count) => sum + count * count, 0),
      });
    expect([of(), of(3), of(0, 0, 0), of(1, 1, 1, 1)]).toEqual([1, 1, 1, 0]);
    expect(of(0, 0, 0, 4)).toBeCloseTo(4, 9);
  });
});

const binomial = (n: number, k: number, p: number): number => {
  let ways = 1;
  for (let index = 0; index < k; index++) ways = (ways * (n - index)) / (index + 1);
  return ways * p ** k * (1 - p) ** (n - k);
};
