import { describe, expect, test } from "vitest";
import type { Count } from "../../../src/guard/count.ts";
import { guardWorld, type GuardWorld } from "../../fakes/guard-world.ts";

type Share = Pick<Count, "issued" | "asked" | "refused" | "lost" | "slow">;

/** Lets time pass; in each bin these are counted beside what the world does. */
const watch = (world: GuardWorld, ms: number, counted: (side: "new" | "old", index: number) => Share): void => {
  for (let index = 0; index < ms / 100; index++) {
    world.run(100);
    const counts = (["new", "old"] as const).map((side) => ({
      operation: "amend" as const,
      region: "tokyo",
      release: side === "new" ? "gateway@2.0" : "gateway@1.0",
      side,
      cohort: "shard-1",
      source: "live" as const,
      failed: 0,
      ...counted(side, index),
    }));
    world.put({ kind: "bin", at: world.now(), ms: 100, counts });
    if (world.verdict().state === "failing") return;
  }
};

const upgraded = (): GuardWorld => {
  const world = guardWorld({ seed: 1, baseline: 0 });
  world.run(5_000);
  world.upgrade(["tokyo-0"]);
  world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
  return world;
};

describe("a new release that answers, but worse", () => {
  test.each([
    {
      name: "refuses more often than the old one",
      share: (refused: number): Share => ({ issued: 0, asked: 20, refused }),
      says: /^amend in tokyo: \d+ of \d+ were refused on gateway@2\.0, \d+ of \d+ on gateway@1\.0$/,
    },
    {
      name: "no longer knows orders",
      share: (lost: number): Share => ({ issued: 0, asked: 20, lost }),
      says: /^amend in tokyo: \d+ of \d+ were refused because the order is not known on gateway@2\.0, \d+ of \d+ on/,
    },
    {
      name: "is slower",
      share: (slow: number): Share => ({ issued: 20, slow }),
      says: /^amend in tokyo: \d+ of \d+ were slower than the plan allows on gateway@2\.0, \d+ of \d+ on/,
    },
  ])("$name, is failing, and both shares are told", ({ share, says }) => {
    const world = upgraded();
    watch(world, 20_000, (side, index) => share(side === "new" ? 6 : (index % 3) % 2));
    expect(world.verdict()).toMatchObject({ state: "failing", regions: ["tokyo"] });
    expect(world.verdict().reason).toMatch(says);
  });

  test.each(["refused", "lost", "slow"] as const)(
    "but one as often %s as the old one is well, however often that is",
    (name) => {
      const world = upgraded();
      watch(world, 60_000, (side, index) => {
        // Both sides are up and down by turns that have nothing to do with each other.
        const often = side === "new" ? [3, 9, 4, 6, 8, 0, 5][index % 7] : [6, 0, 9, 3, 5, 8, 4][(index * 3) % 7];
        return { issued: 20, asked: 20, [name]: often ?? 0 };
      });
      expect(world.verdicts().map(({ state }) => state)).not.toContain("failing");
    },
  );

  test("and a storm of refusals on both sides undoes nothing", () => {
    const world = upgraded();
    watch(world, 30_000, (_, index) => ({ issued: 0, asked: 20, refused: 15 + (index % 4) }));
    expect(world.verdicts().map(({ state }) => state)).not.toContain("failing");
  });
});

describe("a new release, where refusals are a part of every day", () => {
  /** One in a hundred operations is refused on both sides; on the new one so many more in the seconds after it came. */
  const withMore = (more: number): GuardWorld => {
    const world = guardWorld({ seed: 4, baseline: 0 });
    world.run(5_000);
    watch(world, 60_000, (_, index) => ({ issued: 0, asked: 20, refused: index % 5 === 0 ? 1 : 0 }));
    world.upgrade(["tokyo-0"]);
    world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
    watch(world, 6_000, (side, index) => ({
      issued: 0,
      asked: 24,
      refused: side === "new" && index % 2 === 0 ? more : 0,
    }));
    return world;
  };

  test("is not taken back for one user who asks again and again after orders that are gone", () => {
    expect(
      withMore(1)
        .verdicts()
        .map(({ state }) => state),
    ).not.toContain("failing");
  });

  test("is failing when it refuses several times what is usual", () => {
    expect(withMore(6).verdict()).toMatchObject({ state: "failing", regions: ["tokyo"] });
  });
});

describe("after a change that leaves nothing old to compare with", () => {
  const usually = (index: number): Share => ({
    issued: 0,
    asked: 40,
    refused: index % 5 === 0 ? 1 : 0,
    lost: index % 50 === 0 ? 1 : 0,
  });
  const settled = (): GuardWorld => {
    const world = guardWorld({ seed: 2, baseline: 0 });
    world.run(5_000);
    watch(world, 60_000, (_, index) => usually(index));
    return world;
  };

  test("orders that nobody knows any more are failing, and what was usual is told", () => {
    const world = settled();
    world.mark({ kind: "metadata", component: "orders-db" });
    watch(world, 10_000, () => ({ issued: 0, asked: 40, refused: 12, lost: 12 }));
    expect(world.verdict().state).toBe("failing");
    expect(world.verdict().reason).toMatch(
      /^amend in tokyo: \d+ of \d+ were refused( because the order is not known)? after metadata orders-db; [\d.]+ % is the most that was usual before it$/,
    );
  });

  test("what was usual before is usual after it, and half as much again too", () => {
    const world = settled();
    world.mark({ kind: "metadata", component: "orders-db" });
    watch(world, 60_000, (_, index) => ({ ...usually(index), refused: index % 10 < 3 ? 1 : 0 }));
    expect(world.verdicts().map(({ state }) => state)).not.toContain("failing");
  });

  test("nothing is held against a change before which nothing was measured", () => {
    const world = guardWorld({ seed: 3, baseline: 0 });
    world.run(5_000);
    world.mark({ kind: "metadata", component: "orders-db" });
    watch(world, 10_000, () => ({ issued: 0, asked: 40, refused: 30, lost: 30 }));
    expect(world.verdicts().map(({ state }) => state)).not.toContain("failing");
  });

  test("what was held against a change is over when everything was taken back", () => {
    const world = settled();
    world.mark({ kind: "metadata", component: "orders-db" });
    watch(world, 10_000, () => ({ issued: 0, asked: 40, refused: 12 }));
    expect(world.verdict().state).toBe("failing");
    world.mark({ kind: "back" });
    watch(world, 10_000, (_, index) => usually(index));
    expect(world.verdict().state).toBe("healthy");
  });
});
