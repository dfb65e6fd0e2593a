import { describe, expect, test } from "vitest";
import { upperBaseline } from "../../../../src/guard/detector/baseline.ts";
import { foldIntoBins, freshBinStream, type BinStream } from "../../../../src/guard/detector/bin-stream.ts";
import { evidenceSoFar, foldBin, freshBins } from "../../../../src/guard/detector/bins.ts";
import { evidenceIn, freshMixture, inject, type Mixture } from "../../../../src/guard/detector/mixture.ts";
import { alternatives, foldOutcome, foldSuccesses, outcomeBets } from "../../../../src/guard/detector/outcomes.ts";
import { promisedBy } from "../../../../src/guard/detector/promise.ts";
import { foldSigns, freshSigns, secondsPerSign } from "../../../../src/guard/detector/signs.ts";

const p0 = 0.001;
const nothing = (): Mixture => freshMixture(outcomeBets(p0).failed.length);

const outcomes = (text: string, mass = 1, start = nothing()): readonly number[] => {
  const bets = outcomeBets(p0);
  let mixture = start;
  return text.split("").map((digit) => {
    mixture = foldOutcome(mixture, bets, { isFailed: digit === "1", mass });
    return evidenceIn(mixture);
  });
};
const bins = (shares: readonly number[]): readonly number[] => {
  let mixture = freshBins;
  return shares.map((share) => {
    mixture = foldBin(mixture, { issued: 10, failed: share * 10, seconds: 1 }, p0);
    return evidenceIn(mixture);
  });
};
const restingBins = (shares: readonly number[]): readonly number[] => {
  let stream: BinStream = freshBinStream;
  return shares.map((share, index) => {
    const bin = { issued: 10, failed: share * 10, seconds: 1, from: index * 200, to: (index + 1) * 200 };
    stream = foldIntoBins(stream, bin, p0);
    return evidenceIn(stream.mixture);
  });
};
// A pause between the bins, so that none of them rests.
const signs = (text: string): readonly number[] => {
  const [clean, failing] = [
    { issued: 10, failed: 0 },
    { issued: 10, failed: 3 },
  ];
  let stream = freshSigns;
  return text.split("").map((side, index) => {
    const [first, second] = side === "c" ? [failing, clean] : [clean, failing];
    stream = foldSigns(stream, { fresh: first, old: second, from: index * 1_000, to: index * 1_000 + 100, mass: 1 });
    return evidenceIn(stream.mixture);
  });
};

/** Within half of the last digit that the reference prints, of six digits at most. */
const near = (values: readonly number[], wanted: readonly string[]): void => {
  expect(values).toHaveLength(wanted.length);
  values.forEach((value, index) => {
    const text = wanted[index] ?? "";
    const unit = 10 ** (Math.floor(Math.log10(Number(text))) + 1 - Math.min(6, digitsOf(text)));
    expect(Math.abs(value - Number(text)), `${value} for ${text}`).toBeLessThanOrEqual(0.50001 * unit);
  });
};
const digitsOf = (text: string): number => (text.split("e")[0] ?? "").replace(".", "").replace(/^0+/, "").length;

describe("evidence equals the reference values", () => {
  test.each([
    {
      name: "outcomes",
      got: () => outcomes("10011"),
      wanted: ["202.100", "68.2136", "49.2606", "11944.7", "4.48600e6"],
    },
    { name: "four failures", got: () => outcomes("1111"), wanted: ["202.100", "134954.6", "115174423", "1.070459e11"] },
    { name: "in seconds", got: () => outcomes("1111", 0.02), wanted: ["4.042", "2699.092", "2303488.5", "2.140917e9"] },
    // The extra mass of the step takes the place of the first outcome's own.
    {
      name: "right after a step",
      got: () => outcomes("11", 1, inject(nothing(), 647_999)),
      wanted: ["1.309608e8", "8.731962e10"],
    },
    {
      name: "bins",
      got: () => bins([0, 0.1, 0, 1, 1, 1]),
      wanted: ["0.6475", "50.0907", "23.0017", "9123.28", "4.91263e6", "3.10378e9"],
    },
    {
      name: "bins with rest",
      got: () => restingBins([0, 0.1, 0, 1, 1, 1]),
      wanted: ["0.6475", "50.0907", "50.0907", "28112.0", "28112.0", "1.93510e7"],
    },
    { name: "failing bins", got: () => bins([1, 1, 1]), wanted: ["353.148", "216302", "1.56521e8"] },
    { name: "paired signs", got: () => signs("ccoc"), wanted: ["1.549800", "4.034000", "1.928898", "4.271763"] },
    {
      name: "baselines from counts",
      got: () =>
        [
          { issued: 1_000, failed: 0, dispersion: 1 },
          { issued: 1e4, failed: 5, dispersion: 1 },
          { issued: 1e5, failed: 100, dispersion: 1 },
          { issued: 1e5, failed: 100, dispersion: 2 },
        ].map(upperBaseline),
      wanted: ["0.006883952", "0.001644532", "0.001349008", "0.001518"],
    },
  ])("$name", ({ got, wanted }) => near(got(), wanted));

  test("a thousand successes, then three failures", () => {
    const all = outcomes(`${"0".repeat(1_000)}111`);
    near(
      [0, 9, 999, 1_000, 1_001, 1_002].map((index) => all[index] ?? NaN),
      ["0.798699", "6.299188", "121.101382", "1079.43", "203086", "1.34955e8"],
    );
    const skipped = foldSuccesses(nothing(), outcomeBets(p0), { count: 1_000, mass: 1 });
    near(
      [evidenceIn(skipped), ...[0, 8, 9].map((index) => skipped[index] ?? NaN)],
      ["121.101382", "631.407477", "0.954990", "0.001002"],
    );
  });

  test("a look into the running bin", () => {
    const two = [1, 1].reduce((soFar) => foldBin(soFar, { issued: 10, failed: 10, seconds: 1 }, p0), freshBins);
    expect(evidenceIn(foldBin(two, { issued: 10, failed: 0, seconds: 1 }, p0)).toPrecision(6)).toBe("59842.0");
    near(
      [1, 2].map((failed) => evidenceSoFar(two, { issued: 10, failed, seconds: 1 }, p0)),
      ["1.570598e7", "3.135211e7"],
    );
  });

  test("23 bins in which the new side failed alone cross the alarm of a 30-day promise, 22 do not", () => {
    const all = signs("c".repeat(23));
    // 25 outcomes a side and bin of 100 ms, at 250/s: the alarm level in bins of one failing side.
    const alarm = (30 * 86_400) / secondsPerSign({ fresh: 25, old: 25, ms: 100 }, p0);
    near([alarm], ["1.24893e6"]);
    expect(all[21]).toBeLessThan(alarm);
    expect(all[22]).toBeGreaterThan(alarm);
  });

  test("rates that a stream is accused of", () => {
    expect(alternatives(1e-3)).toHaveLength(10);
    expect(alternatives(1e-4)).toHaveLength(14);
    expect(alternatives(0.5)).toEqual([0.999]);
  });

  test("30 days are two halves: time, and two hundred steps", () => {
    const { alarm, stepMass } = promisedBy(30 * 86_400);
    expect([alarm, stepMass, alarm / stepMass]).toEqual([5_184_000, 12_960, 400]);
  });
});
