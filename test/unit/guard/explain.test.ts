import { describe, expect, test } from "vitest";
import type { Count } from "../../../src/guard/count.ts";
import { explain, listed, regionsOf } from "../../../src/guard/explain.ts";
import { onNew, onOld } from "../../fakes/judged.ts";

const told = (judged: readonly Count[], control: readonly Count[] = [], when = ""): string =>
  explain({ judged, control, when });
const cohort = (name: string, failed: number, issued = 10, more: Partial<Count> = {}): Count =>
  onNew({ cohort: name, failed, issued, ...more });

describe("a sentence of what failed", () => {
  test("names operation, region, release, counts and both sides", () => {
    expect(told([onNew({ failed: 4 })], [onOld()])).toBe(
      "order in tokyo on gateway@2.0: 4 of 10 failed, 0 of 10 on gateway@1.0",
    );
    expect(told([onNew({ failed: 4 })], [], "after metadata orders-db")).toBe(
      "order in tokyo on gateway@2.0: 4 of 10 failed after metadata orders-db",
    );
  });

  test("names operations in their order and regions in theirs, and counts these alone", () => {
    const judged = [
      onNew({ operation: "cancel", failed: 4 }),
      onNew({ operation: "order", failed: 4, region: "frankfurt" }),
      onNew({ operation: "amend" }),
    ];
    expect(told(judged)).toBe("order and cancel in frankfurt and tokyo on gateway@2.0: 8 of 20 failed");
  });

  test("names operations of one's own after a venue's, by the alphabet", () => {
    const judged = ["refund", "pay", "order"].map((operation) => onNew({ operation, failed: 4 }));
    for (const counts of [judged, judged.toReversed()])
      expect(told(counts)).toBe("order, pay and refund in tokyo on gateway@2.0: 12 of 30 failed");
  });

  test("leaves out what fails less than a third as often as the worst", () => {
    const judged = (failed: number): readonly Count[] => [
      onNew({ failed: 12, issued: 16 }),
      onNew({ operation: "amend", failed, issued: 16 }),
    ];
    expect(told(judged(4))).toBe("order and amend in tokyo on gateway@2.0: 16 of 32 failed");
    expect(told(judged(3))).toBe("order in tokyo on gateway@2.0: 12 of 16 failed");
    const regions = (failed: number): readonly string[] =>
      regionsOf([onNew({ failed, issued: 16 }), onNew({ region: "frankfurt", failed: 4, issued: 16 })]);
    expect(regions(12)).toEqual(["frankfurt", "tokyo"]);
    expect(regions(13)).toEqual(["tokyo"]);
    expect(regionsOf([onNew(), onOld()])).toEqual([]);
  });

  test("says so when nothing failed", () => {
    expect(told([onNew()])).toBe("nothing in nothing: 0 of 0 failed");
  });

  test("names the code, or the one that came most", () => {
    const codes = (all: Readonly<Record<string, number>>): string =>
      told([onNew({ failed: 4, codes: all }), onNew({ codes: { "50026": 1 } }), onNew()]);
    expect(codes({ "50026": 3 })).toBe("order in tokyo on gateway@2.0: 4 of 30 failed (50026)");
    expect(codes({ "50001": 3 })).toBe("order in tokyo on gateway@2.0: 4 of 30 failed (mostly 50001)");
    expect(codes({ "50001": 2, "50026": 2 })).toBe("order in tokyo on gateway@2.0: 4 of 30 failed (mostly 50026)");
  });

  test("names releases once, in order, and those alone that are known", () => {
    const judged = [
      onNew({ failed: 4 }),
      onOld({ failed: 4 }),
      onOld({ failed: 4 }),
      onOld({ release: "unknown", failed: 4 }),
    ];
    expect(told(judged)).toBe("order in tokyo on gateway@1.0 and gateway@2.0: 16 of 40 failed");
    expect(told([onOld({ release: "unknown", failed: 4 })])).toBe("order in tokyo: 4 of 10 failed");
  });

  test("compares with the same operations in the same regions, else with what there is, and says where", () => {
    const judged = [onNew({ failed: 4 })];
    const near = onOld({ failed: 1 });
    const far = [onOld({ region: "osaka", issued: 7 }), onOld({ region: "frankfurt", issued: 7, operation: "amend" })];
    expect(told(judged, [near, ...far])).toMatch(/, 1 of 10 on gateway@1\.0$/);
    expect(told(judged, far)).toMatch(/, 0 of 14 on gateway@1\.0 in frankfurt and osaka$/);
    expect(told(judged, [onOld({ operation: "amend" })])).toMatch(/, 0 of 10 on gateway@1\.0 in tokyo$/);
    expect(told(judged, [onOld({ issued: 0 })])).toMatch(/: 4 of 10 failed$/);
  });

  test("is told by one source: the one that saw more failures, or users when both saw as many", () => {
    const probes = (failed: number): Count => onNew({ source: "probes", failed, issued: 20 });
    expect(told([probes(5), onNew({ failed: 4 })], [onOld({ source: "probes" }), onOld({ issued: 99 })])).toBe(
      "order in tokyo on gateway@2.0: 5 of 20 failed, 0 of 10 on gateway@1.0",
    );
    expect(told([probes(4), onNew({ failed: 4 })])).toMatch(/4 of 10 failed$/);
    expect(regionsOf([onNew({ source: "probes", failed: 5 }), onNew({ region: "frankfurt", failed: 4 })])).toEqual([
      "tokyo",
    ]);
  });
});

describe("a sentence of who failed", () => {
  const well = ["c", "d"].map((name) => cohort(name, 0));

  test("names a few cohorts that fail nearly always, while the others are well", () => {
    expect(told([cohort("b", 6), cohort("a", 8), ...well])).toBe("a, b: order fails (14 of 20)");
    const codes = { codes: { "50026": 3 } };
    expect(
      told([cohort("a", 8, 10, codes), cohort("a", 8, 10, { operation: "amend" }), ...well], [], "after all"),
    ).toBe("a: order and amend fail (16 of 20, 50026) after all");
  });

  test("down to three of five in one, and with one that failed once beside one that failed for certain", () => {
    expect(told([cohort("a", 3, 5), cohort("b", 0, 5)])).toBe("a: order fails (3 of 5)");
    expect(told([cohort("a", 1, 1), cohort("b", 2, 2), cohort("c", 0, 2), cohort("d", 0, 2)])).toMatch(/^a, b: /);
  });

  test("or that keep the failures to themselves, where luck would have spread them", () => {
    expect(told([cohort("a", 5), ...well])).toBe("a: order fails (5 of 10)");
    expect(told([cohort("a", 4), ...well])).toMatch(/^order in tokyo/);
    const others = ["c", "d", "e", "f", "g", "h"].map((name) => cohort(name, 0));
    expect(told([cohort("b", 5), cohort("a", 3), ...others])).toBe("a, b: order fails (8 of 20)");
    expect(told([cohort("b", 3), cohort("a", 1), ...others])).toMatch(/^order in tokyo/);
    // As in the moment in which it begins, in counts that also hold what went well just before.
    const shards = ["1", "2", "4", "5", "6", "8", "9"].map((name) => cohort(`shard-${name}`, 0, 4));
    expect(told([cohort("shard-7", 2, 4), cohort("shard-3", 4, 5), ...shards])).toMatch(/^shard-3, shard-7: /);
    const many = ["c", "d", "e", "f"].map((name) => cohort(name, 0, 16));
    expect(told([cohort("a", 12, 16), cohort("b", 4, 16), ...many])).toMatch(/^a, b: /);
    expect(told([cohort("a", 30, 90), cohort("b", 8, 90), ...others])).toMatch(/^order in tokyo/);
    expect(told([cohort("a", 30, 90), cohort("b", 7, 90), ...others])).toBe("a: order fails (30 of 90)");
  });

  test("but not such as fail less, or are more than half of all, or are not alone", () => {
    expect(told([cohort("a", 6), cohort("b", 6), cohort("c", 6), cohort("d", 0)])).toMatch(/^order in tokyo/);
    expect(told([cohort("a", 6)])).toMatch(/^order in tokyo/);
    expect(told([cohort("a", 8), cohort("b", 2), ...well])).toMatch(/^a: /);
    expect(told([cohort("a", 8), cohort("b", 3), ...well])).toMatch(/^a, b: /);
    expect(told([cohort("a", 8), cohort("b", 3), cohort("c", 3), cohort("d", 0)])).toMatch(/^order in tokyo/);
  });

  test("nor one in which a single operation failed, unless another fails for certain", () => {
    expect(told([cohort("a", 1, 1), ...well])).toMatch(/^order in tokyo/);
    expect(told([cohort("a", 2, 2), ...well])).toMatch(/^a: /);
    expect(told([cohort("a", 1, 1), cohort("b", 2, 2), ...well])).toMatch(/^a, b: /);
  });
});

test("words are listed as people do", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed)).toEqual(["nothing", "a", "a and b", "a, b and c"]);
});
