import { describe, expect, test } from "vitest";
import { shareOf, tally } from "../../../src/guard/count.ts";
import { addToWindow, countsBetween, onsetOf } from "../../../src/guard/window.ts";
import { binAt, onNew, onOld } from "../../fakes/judged.ts";

const any = (): boolean => true;
const failing = onNew({ failed: 1 });

describe("what is remembered", () => {
  test("are bins with outcomes of the last twelve seconds", () => {
    const window = [1_000, 1_001, 5_000].map((at) => binAt(at, [onOld()]));
    const next = binAt(13_000, [onOld()]);
    expect(addToWindow(window, next)).toEqual([window[1], window[2], next]);
  });

  test("is nothing from before a long silence", () => {
    expect(addToWindow([binAt(1_000, [failing])], binAt(60_000, [onOld()]))).toHaveLength(1);
  });

  test("is not touched by a bin without outcomes", () => {
    const window = [binAt(1_000, [onOld()])];
    expect(addToWindow(window, binAt(60_000, []))).toBe(window);
  });

  test("is asked for by the time of issue: a bin counts when it lies between both ends", () => {
    const window = [binAt(1_000, [onOld({ issued: 1 })]), binAt(2_000, [onOld({ issued: 2 })])];
    const issued = (from: number, to?: number): readonly number[] =>
      countsBetween(window, from, to).map((count) => count.issued);
    expect(issued(900)).toEqual([1, 2]);
    expect(issued(901)).toEqual([2]);
    expect(issued(900, 2_000)).toEqual([1, 2]);
    expect(issued(900, 1_999)).toEqual([1]);
  });
});

describe("failures began", () => {
  test("with the first of those that are at most two quiet seconds apart", () => {
    const [late, early] = [binAt(5_000, [failing]), binAt(2_900, [failing])];
    expect(onsetOf([early, late], any)).toBe(2_800);
    expect(onsetOf([{ ...early, at: 2_899 }, late], any)).toBe(4_900);
  });

  test("with the widest bin, in whatever order bins came", () => {
    const [wide, narrow] = [binAt(5_000, [failing], 1_000), binAt(5_000, [failing])];
    expect(onsetOf([wide, narrow], any)).toBe(4_000);
    expect(onsetOf([narrow, wide], any)).toBe(4_000);
  });

  test("never where nothing that is asked for fails", () => {
    const window = [binAt(5_000, [failing, onOld()])];
    expect(onsetOf(window, ({ side }) => side === "old")).toBeUndefined();
    expect(onsetOf(window, ({ side }) => side === "new")).toBe(4_900);
    expect(onsetOf([binAt(5_000, [onNew()])], any)).toBeUndefined();
  });
});

describe("counts", () => {
  test("add up, and those that do not say who was unreached reached somebody", () => {
    expect(tally([onOld({ failed: 3, unreached: 2 }), onOld({ failed: 1 })])).toEqual({
      issued: 20,
      failed: 4,
      unreached: 2,
    });
  });

  test("of nothing have the share 0", () => {
    expect(shareOf({ issued: 0, failed: 0 })).toBe(0);
    expect(shareOf({ issued: 8, failed: 2 })).toBe(0.25);
  });
});
