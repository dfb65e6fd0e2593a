import { describe, expect, test } from "vitest";
import { startDifferences } from "../../../../../src/adapters/guard-thread/sources/differences.ts";

const APART_MS = 30_000;
/** Our clock is ten seconds ahead of the server's. */
const ownAt = (at: number): number => at + 10_000;

const started = () => startDifferences({ targetOf: ({ instance }) => instance ?? "", mostApartMs: APART_MS });
/** `values`: `[at, value]`, oldest first. */
const series = (instance: string, code: string, ...values: readonly (readonly [number, number])[]) => ({
  key: `${instance} ${code}`,
  labels: { instance, code },
  samples: values.map(([at, value]) => ({ at, value })),
});
const counted = (
  differences: readonly { readonly labels: Readonly<Record<string, string>>; readonly count: number }[],
) => differences.filter(({ count }) => count > 0).map(({ labels, count }) => `${labels["code"]}: ${count}`);

describe("differences of cumulative counters", () => {
  test("begin with what is there: the first answer counts nothing, whatever stands in it", () => {
    expect(started().note([series("a", "0", [1_000, 900], [2_000, 950])], ownAt)).toEqual([]);
  });

  test("are what came between two samples, with the times of both by our clock", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    expect(differences.note([series("a", "0", [1_000, 10], [2_000, 15], [3_000, 15])], ownAt)).toEqual([
      { labels: { instance: "a", code: "0" }, count: 5, from: 11_000, to: 12_000 },
      { labels: { instance: "a", code: "0" }, count: 0, from: 12_000, to: 13_000 },
    ]);
  });

  test("of a sample that was seen before are none: no news is not zero", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    expect(differences.note([series("a", "0", [1_000, 10])], ownAt)).toEqual([]);
  });

  test("of a failure that was never counted before begin at nothing, in whatever order the series come", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    const answer = [series("a", "0", [1_000, 10], [2_000, 12]), series("a", "50026", [2_000, 3])];
    expect(counted(differences.note(answer, ownAt))).toEqual(["0: 2", "50026: 3"]);
  });

  test("of a failure that began two scrapes ago are not lost", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    const answer = [series("a", "0", [2_000, 12], [3_000, 14]), series("a", "50026", [2_000, 3], [3_000, 5])];
    expect(counted(differences.note(answer, ownAt))).toEqual(["0: 2", "0: 2", "50026: 3", "50026: 2"]);
  });

  test("of a new instance begin with what it has when it is first seen", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    const both = [series("a", "0", [2_000, 12]), series("b", "0", [2_100, 700])];
    expect(counted(differences.note(both, ownAt))).toEqual(["0: 2"]);
    expect(counted(differences.note([series("b", "0", [3_100, 704])], ownAt))).toEqual(["0: 4"]);
  });

  test("are missing for the whole instance when one counter went backwards, and for no other", () => {
    const differences = started();
    const at = (time: number, values: readonly (readonly [string, string, number])[]) =>
      differences.note(
        values.map(([instance, code, value]) => series(instance, code, [time, value])),
        ownAt,
      );
    at(1_000, [
      ["a", "0", 100],
      ["a", "50026", 1],
      ["b", "0", 10],
    ]);
    // Restarted: three failures since, which no difference could tell from two.
    expect(
      counted(
        at(2_000, [
          ["a", "0", 40],
          ["a", "50026", 3],
          ["b", "0", 11],
        ]),
      ),
    ).toEqual(["0: 1"]);
    expect(counted(at(3_000, [["a", "50026", 4]]))).toEqual(["50026: 1"]);
  });

  test("of a kind that a restarted process names again begin at nothing", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 100]), series("a", "50026", [1_000, 9])], ownAt);
    expect(counted(differences.note([series("a", "0", [2_000, 5])], ownAt))).toEqual([]);
    const again = [series("a", "0", [3_000, 6]), series("a", "50026", [3_000, 2])];
    expect(counted(differences.note(again, ownAt))).toEqual(["0: 1", "50026: 2"]);
  });

  test("over a gap are missing: nobody knows what happened in it", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    expect(differences.note([series("a", "0", [1_001 + APART_MS, 90])], ownAt)).toEqual([]);
    expect(counted(differences.note([series("a", "0", [2_000 + APART_MS, 93])], ownAt))).toEqual(["0: 3"]);
  });

  test("of an instance that was gone begin anew", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    differences.note([], ownAt);
    expect(differences.note([series("a", "0", [2_000, 90])], ownAt)).toEqual([]);
  });

  test("keep the time that a sample had by our clock when the server's clock jumps", () => {
    const differences = started();
    differences.note([series("a", "0", [1_000, 10])], ownAt);
    const [difference] = differences.note([series("a", "0", [9_000, 12])], (at) => at + 3_000);
    expect(difference).toMatchObject({ from: 11_000, to: 12_000 });
  });
});
