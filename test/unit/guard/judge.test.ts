import { describe, expect, test } from "vitest";
import { comparisonEvidence } from "../../../src/guard/comparison.ts";
import { baselineAdvice, evidenceMissing, isTroubledNow, provenBy } from "../../../src/guard/judge.ts";
import type { Verdict } from "../../../src/guard/verdict.ts";
import { guardWorld, type GuardWorld } from "../../fakes/guard-world.ts";

const acts = ({ state }: Verdict): boolean => state === "suspect" || state === "failing";
const settled = (seed = 1, more: Partial<Parameters<typeof guardWorld>[0]> = {}): GuardWorld => {
  const world = guardWorld({ seed, ...more });
  world.run(5_000);
  expect(world.verdict().state).toBe("healthy");
  return world;
};
const oneNew = (world: GuardWorld): void => {
  world.upgrade(["tokyo-0"]);
  world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
};
const states = (world: GuardWorld): readonly string[] => world.verdicts().map(({ state }) => state);

describe("before anything was changed", () => {
  test("health has to be shown first", () => {
    const world = guardWorld({ seed: 1 });
    expect(world.verdict().state).toBe("unknown");
    world.run(300);
    expect(world.verdict().state).toBe("unknown");
    world.run(5_000);
    expect(states(world)).toEqual(["healthy"]);
  });

  test("failures disturb, for there is nothing to undo", () => {
    const world = settled();
    world.fail(() => true, 0.3);
    world.run(3_000);
    expect(states(world)).toEqual(["healthy", "disturbed"]);
  });
});

describe("new instances", () => {
  test.each([1, 2, 3, 4, 5])(
    "a third of amends failing on one of six is suspected and names itself (seed %i)",
    (seed) => {
      const world = settled(seed);
      oneNew(world);
      world.fail(({ operation, instance }) => operation === "amend" && instance.side === "new", 1 / 3);
      world.run(5_000, acts);
      expect(world.verdict()).toMatchObject({ state: "suspect", regions: ["tokyo"] });
      expect(world.verdict().reason).toMatch(
        /^amend in tokyo on gateway@2\.0: \d+ of \d+ failed \(50026\), \d+ of \d+ on gateway@1\.0$/,
      );
    },
  );

  test("that go on failing while the old ones, as well watched, do not, are failing", () => {
    const world = settled();
    oneNew(world);
    world.fail(({ operation, instance }) => operation === "amend" && instance.side === "new", 1 / 3);
    world.run(5_000, acts);
    world.withdraw();
    world.run(9_000, ({ state }) => state === "failing");
    expect(world.verdict().state).toBe("failing");
  });

  test("that fail for users only are failing when the suspicion has not cleared in time, for probes cannot clear it", () => {
    const world = settled();
    oneNew(world);
    world.fail(
      ({ instance, source, operation }) => source === "live" && operation === "amend" && instance.side === "new",
      1 / 2,
    );
    world.run(10_000, acts);
    expect(world.verdict().state).toBe("suspect");
    const at = world.now();
    world.withdraw();
    world.run(15_000, ({ state }) => state !== "suspect");
    expect(world.verdict().state).toBe("failing");
    expect(world.now() - at).toBeGreaterThanOrEqual(9_900);
    expect(world.verdict().reason).toMatch(/has not cleared within 10 s$/);
  });

  test("whose suspicion came from probes alone clear it with outcomes", () => {
    const world = settled(3, { suspectForMs: 60_000 });
    oneNew(world);
    world.fail(({ instance, source }) => source === "probes" && instance.side === "new");
    world.run(5_000, acts);
    expect(world.verdict().state).toBe("suspect");
    world.fail(() => false);
    world.withdraw();
    world.run(40_000);
    expect(states(world)).toEqual(["healthy", "suspect", "healthy"]);
  });

  test("are failing at once when no old one is left to compare with", () => {
    const world = settled();
    world.set((instance) => ({ ...instance, side: "new", release: "gateway@2.0" }));
    world.run(13_000);
    world.mark({ kind: "instances", component: "gateway", regions: ["tokyo", "frankfurt"] });
    world.fail(({ operation }) => operation === "amend", 0.3);
    world.run(5_000, acts);
    expect(world.verdict()).toMatchObject({
      state: "failing",
      reason: expect.stringContaining("no old instance is left") as string,
    });
  });

  test("a withdrawal that is marked does not clear a suspicion", () => {
    const world = settled();
    oneNew(world);
    world.fail(({ instance }) => instance.side === "new");
    world.run(5_000, acts);
    world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
    expect(world.verdict().state).toBe("suspect");
  });

  test("that are taken away leave their suspicion behind, until everything was taken back and health is shown", () => {
    const world = settled();
    oneNew(world);
    world.fail(({ instance }) => instance.side === "new");
    world.run(5_000, acts);
    world.set((instance) => ({ ...instance, side: "old", release: "gateway@1.0" }));
    world.run(5_000);
    expect(world.verdict().state).toBe("suspect");
    world.mark({ kind: "back" });
    expect(world.verdict().state).toBe("unknown");
    world.run(5_000);
    expect(world.verdict().state).toBe("healthy");
  });

  test("that are taken away while they are under suspicion are not called well by the others' health", () => {
    const world = settled();
    oneNew(world);
    world.fail(({ instance }) => instance.side === "new");
    world.run(5_000, acts);
    world.set((instance) => ({ ...instance, side: "old", release: "gateway@1.0" }));
    world.run(15_000, ({ state }) => state !== "suspect");
    expect(world.verdict().state).toBe("failing");
  });
});

test("what was held against instances that are gone does not meet the next ones", () => {
  const world = settled();
  oneNew(world);
  world.fail(({ instance }) => instance.side === "new");
  world.run(5_000, acts);
  expect(world.verdict().state).toBe("suspect");
  expect(comparisonEvidence(world.state().comparison)).toBeGreaterThan(1_000);
  world.set((instance) => ({ ...instance, side: "old", release: "gateway@1.0" }));
  expect(comparisonEvidence(world.state().comparison)).toBe(0);
});

describe("metadata", () => {
  test("that breaks a cohort is failing at once, and the cohort is named", () => {
    const world = settled();
    world.mark({ kind: "metadata", component: "orders-db" });
    world.fail(({ cohort }) => cohort === "shard-3" || cohort === "shard-7");
    world.run(2_000, acts);
    expect(world.verdict().state).toBe("failing");
    expect(world.verdict().at - (world.firstFailedAt() ?? 0)).toBeLessThan(1_000);
    expect(world.verdict().reason).toMatch(
      /^shard-3, shard-7: order, amend and cancel fail \(\d+ of \d+, 50026\) after metadata orders-db$/,
    );
  });

  test("and new instances that no user meets are held against what was before them", () => {
    const world = settled();
    world.mark({ kind: "behind", component: "prices", what: "new instances of prices" });
    world.fail(({ cohort }) => cohort === "shard-3");
    world.run(2_000, acts);
    expect(world.verdict().state).toBe("failing");
    expect(world.verdict().reason).toMatch(/ after new instances of prices$/);
  });

  test("is not blamed for what failed before it", () => {
    const world = settled();
    world.fail(({ cohort }) => cohort === "shard-3", 0.5);
    world.run(600);
    world.mark({ kind: "metadata", component: "orders-db" });
    world.run(3_000, ({ state }) => state !== "healthy");
    expect(world.verdict().state).toBe("disturbed");
  });

  test("an alarm ends with the next change, and evidence has to be new", () => {
    const world = settled();
    world.mark({ kind: "metadata", component: "orders-db" });
    world.fail(() => true);
    world.run(2_000, acts);
    world.fail(() => false);
    world.mark({ kind: "metadata", component: "orders-db" });
    expect(world.verdict().state).toBe("unknown");
    world.run(5_000);
    expect(world.verdict().state).toBe("healthy");
  });
});

describe("trouble everywhere", () => {
  test.each([0.05, 0.3, 1])("at a share of %f it disturbs, undoes nothing in a minute, and ends", (share) => {
    for (const seed of [1, 2, 3]) {
      const world = settled(seed);
      oneNew(world);
      world.run(2_000);
      world.fail(() => true, share);
      world.run(60_000);
      expect(world.verdict().state).toBe("disturbed");
      world.fail(() => false);
      world.run(30_000);
      expect(world.verdict().state).toBe("healthy");
      expect(states(world)).not.toContain("failing");
    }
  });

  test("a region whose servers die while an upgrade goes on everywhere is disturbed, also for the failover after it", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const world = settled(seed);
      world.upgrade(["tokyo-0", "tokyo-1", "frankfurt-0"]);
      world.mark({ kind: "instances", component: "gateway", regions: ["tokyo", "frankfurt"] });
      world.run(1_000);
      const diedAt = world.now();
      world.kill(({ region }) => region === "tokyo");
      world.fail(({ instance, at }) => instance.region === "frankfurt" && at < diedAt + 1_500);
      world.run(8_000);
      expect(states(world)).not.toContain("suspect");
      expect(states(world)).not.toContain("failing");
      expect(world.verdict()).toMatchObject({
        state: "disturbed",
        reason: expect.stringMatching(/^tokyo: all 6 instances are out of reach/) as string,
      });
      expect(world.verdict().regions).toContain("tokyo");
    }
  });

  test("after metadata the death of a region is no reason to take metadata back", () => {
    const world = settled();
    world.mark({ kind: "metadata", component: "orders-db" });
    world.run(1_000);
    world.kill(({ region }) => region === "frankfurt");
    world.run(5_000);
    expect(world.verdict()).toMatchObject({ state: "disturbed", regions: ["frankfurt"] });
    expect(world.verdict().reason).toMatch(/all 6 instances are out of reach/);
  });

  test("new instances that crash alone are suspected", () => {
    const world = settled();
    oneNew(world);
    world.run(1_000);
    world.kill(({ side }) => side === "new");
    world.run(5_000, acts);
    expect(world.verdict()).toMatchObject({ state: "suspect", regions: ["tokyo"] });
  });

  test("old instances that fail alone are not the new release's fault", () => {
    const world = settled();
    oneNew(world);
    world.run(1_000);
    world.fail(({ instance }) => instance.side === "old", 0.3);
    world.run(3_000);
    expect(world.verdict()).toMatchObject({
      state: "disturbed",
      reason: expect.stringContaining("not the new release") as string,
    });
  });
});

describe("no data is never healthy", () => {
  test("a second without outcomes is unknown, and says where", () => {
    const world = settled();
    for (let ms = 0; ms <= 1_300; ms += 100) world.put({ kind: "tick", at: world.now() + ms });
    expect(world.verdict()).toMatchObject({
      state: "unknown",
      reason: expect.stringMatching(/^no outcome of order in tokyo for 1\.\d s$/) as string,
    });
  });

  test("the reason of the silence is told", () => {
    const world = settled();
    world.put({
      kind: "silent",
      at: world.now() + 500,
      operation: "order",
      region: "tokyo",
      why: "probes are refused with 50011 (rate limit)",
    });
    world.put({ kind: "tick", at: world.now() + 1_300 });
    expect(world.verdict().reason).toMatch(/probes are refused with 50011 \(rate limit\)$/);
  });

  test("counters of one instance that stay away are unknown", () => {
    const world = settled();
    const before = world.now();
    world.set((instance) => instance);
    for (let ms = 100; ms <= 2_500; ms += 100) {
      world.put({
        kind: "reach",
        at: before + ms,
        gone: [],
        unreadable: [{ id: "tokyo-1", why: "venue_operations_total is NaN" }],
      });
      world.put({
        kind: "bin",
        at: before + ms,
        ms: 100,
        counts: ["tokyo", "frankfurt"].flatMap((region) =>
          (["order", "amend", "cancel"] as const).map((operation) => ({
            operation,
            region,
            release: "gateway@1.0",
            side: "old" as const,
            cohort: "c",
            source: "probes" as const,
            issued: 1,
            failed: 0,
          })),
        ),
      });
    }
    expect(world.verdict()).toMatchObject({
      state: "unknown",
      regions: ["tokyo"],
      reason: expect.stringContaining("is NaN") as string,
    });
  });

  test("evidence from before a mark does not count after it", () => {
    const world = settled();
    world.run(20_000);
    expect(evidenceMissing(world.state(), { excludePct: 5, confidencePct: 99 })).toBeUndefined();
    world.mark({ kind: "start" });
    expect(evidenceMissing(world.state(), { excludePct: 5, confidencePct: 99 })).toBe(
      "order in tokyo (0 of 0 failed since)",
    );
    expect(world.verdict().state).toBe("healthy");
  });

  test("evidence is asked of new instances by themselves, not of the average", () => {
    const world = settled(1, { baseline: 0 });
    oneNew(world);
    world.run(3_000);
    expect(evidenceMissing(world.state(), { excludePct: 5, confidencePct: 99 })).toMatch(
      /^order in tokyo on new instances/,
    );
    world.run(20_000);
    expect(evidenceMissing(world.state(), { excludePct: 5, confidencePct: 99 })).toBeUndefined();
  });

  test("evidence is not there before each new instance was asked for itself, as long as an old one could leave", () => {
    const need = { excludePct: 5, confidencePct: 99 };
    const world = settled(1, { baseline: 0 });
    world.leaveUnasked(({ id }) => id === "tokyo-1");
    world.upgrade(["tokyo-0", "tokyo-1"]);
    world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
    world.run(30_000);
    expect(evidenceMissing(world.state(), need)).toBe("tokyo-1 in tokyo has not answered a probe of its own");
    world.set((one) => (one.id === "tokyo-1" ? { ...one, inTraffic: false } : one));
    expect(evidenceMissing(world.state(), need), "nobody leaves for one that takes no users").toBeUndefined();
    world.set((one) => (one.region === "tokyo" ? { ...one, side: "new", inTraffic: true } : one));
    expect(evidenceMissing(world.state(), need), "nobody is left who could leave").toBeUndefined();
    world.set((one) => (one.id === "tokyo-5" ? { ...one, side: "old" } : one));
    expect(evidenceMissing(world.state(), need)).toMatch(/^tokyo-\d in tokyo has not answered a probe of its own$/);
    world.leaveUnasked(() => false);
    world.run(10_000);
    expect(evidenceMissing(world.state(), need)).toBeUndefined();
  });

  test("an instance that comes again under its name is asked anew", () => {
    const world = settled(1, { baseline: 0 });
    oneNew(world);
    world.run(30_000);
    expect(world.state().met).toContain("tokyo-0");
    const [first, ...others] = world.state().instances;
    world.put({ kind: "instances", at: world.now(), instances: others });
    world.put({ kind: "instances", at: world.now(), instances: [first, ...others].flatMap((one) => one ?? []) });
    expect(world.state().met).not.toContain("tokyo-0");
  });
});

describe("the budget of failed operations", () => {
  const budgeted = (world: GuardWorld, failed: number, side: "new" | "old"): void => {
    world.put({
      kind: "bin",
      at: world.now() + 200,
      ms: 200,
      counts: [
        {
          operation: "order",
          region: "tokyo",
          release: "r",
          side,
          cohort: "c",
          source: "live",
          issued: 1_000_000,
          failed,
        },
      ],
    });
  };
  const withBudget = (): GuardWorld => {
    const world = settled(1, { budget: 50 });
    oneNew(world);
    return world;
  };

  test("spent on new instances is failing, whatever the statistics say", () => {
    const world = withBudget();
    budgeted(world, 51, "new");
    expect(world.verdict()).toMatchObject({
      state: "failing",
      reason: expect.stringMatching(/more than the 50 allowed/) as string,
    });
  });

  test("spent by old instances undoes nothing", () => {
    const world = withBudget();
    budgeted(world, 51, "old");
    expect(acts(world.verdict())).toBe(false);
  });
});

describe("after everything was taken back", () => {
  const tripped = (): GuardWorld => {
    const world = settled(4);
    world.mark({ kind: "metadata", component: "orders-db" });
    world.fail(({ cohort }) => cohort === "shard-3");
    world.run(5_000, acts);
    expect(world.verdict().state).toBe("failing");
    world.fail(() => false);
    return world;
  };
  const late = (world: GuardWorld, failed: number): void => {
    const operations = ["order", "amend", "cancel"] as const;
    const counts = operations.map((operation) => ({
      operation,
      region: "tokyo",
      release: "gateway@1.0",
      side: "old" as const,
      cohort: "shard-3",
      source: "live" as const,
      issued: 10,
      failed,
      codes: { "50026": failed },
    }));
    for (const lag of [20, 40, 60]) world.put({ kind: "bin", at: world.now() + lag, ms: 100, counts });
  };

  test("outcomes of before that are told late raise no alarm that would stand for ever", () => {
    const world = tripped();
    world.run(100);
    world.mark({ kind: "back" });
    late(world, 10);
    world.run(5_000);
    expect(states(world).at(-1)).toBe("healthy");
  });

  test("an alarm of before does not outlive it", () => {
    const world = tripped();
    world.mark({ kind: "back" });
    expect(world.verdict().state).toBe("unknown");
    world.run(5_000);
    expect(states(world).at(-1)).toBe("healthy");
  });

  test("users who still fail disturb, and are never called served", () => {
    const world = tripped();
    world.run(100);
    world.mark({ kind: "back" });
    world.fail(({ cohort }) => cohort === "shard-3");
    world.run(10_000);
    expect(world.verdict().state).toBe("disturbed");
    expect(evidenceMissing(world.state(), { excludePct: 10, confidencePct: 99 })).toContain("shard-3");
  });
});

test("trouble elsewhere is known while an instance is being proved", () => {
  const world = settled();
  expect(isTroubledNow(world.state())).toBe(false);
  world.fail(() => true);
  world.run(200);
  expect(isTroubledNow(world.state())).toBe(true);
});

test("the same inputs give the same verdicts", () => {
  const told = (): unknown => {
    const world = settled(7);
    oneNew(world);
    world.fail(({ instance }) => instance.side === "new", 0.2);
    world.run(8_000);
    return world.verdicts();
  };
  expect(told()).toEqual(told());
});

describe("the measured baseline against the stated one", () => {
  const ill = (): GuardWorld => {
    const world = guardWorld({ seed: 2, baseline: 0.01, atMostPct: 0.1 });
    world.run(20_000);
    return world;
  };

  test("is told with the evidence when production is certainly worse, and where", () => {
    const world = ill();
    expect(provenBy(world.state(), { excludePct: 10, confidencePct: 99 }).contradicts).toMatch(
      /^(order|amend|cancel) in (tokyo|frankfurt): \d+ of \d+ failed, [\d.]+ % where at most 0\.1 % is stated$/,
    );
  });

  test("remembers trouble that is over: who starts right after it is told", () => {
    const world = settled();
    world.fail(() => true, 0.3);
    world.run(6_000);
    expect(world.verdict()).toMatchObject({ state: "disturbed" });
    world.fail(() => false);
    world.run(30_000);
    expect(baselineAdvice(world.state())).toMatch(/where at most 0\.1 % is stated$/);
  });

  test("is not told of a production that is as stated", () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const world = settled(seed);
      world.run(30_000);
      expect(provenBy(world.state(), { excludePct: 10, confidencePct: 99 }).contradicts).toBeUndefined();
    }
  });

  test("is never told once something was changed, nor after everything was taken back", () => {
    const world = ill();
    world.mark({ kind: "metadata", component: "orders-db" });
    expect(provenBy(world.state(), { excludePct: 10, confidencePct: 99 }).contradicts).toBeUndefined();
    world.mark({ kind: "back" });
    world.run(20_000);
    expect(provenBy(world.state(), { excludePct: 10, confidencePct: 99 }).contradicts).toBeUndefined();
  });

  test("a new release that fails is no baseline", () => {
    const world = settled();
    oneNew(world);
    world.fail(({ instance }) => instance.side === "new");
    world.run(10_000);
    expect(world.verdicts().every(({ contradicts }) => contradicts === undefined)).toBe(true);
  });
});

describe("a dense stream of which half is new", () => {
  // flagger#658: no check comes sooner than ten seconds after the one before.
  test("that fails totally is suspected by the second bin that counts, and a burst as long as a bin is not", () => {
    const world = settled(5, { liveRate: 1_000, baseline: 0 });
    world.upgrade(["tokyo-0", "tokyo-1", "tokyo-2"]);
    world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
    world.fail(({ instance }) => instance.side === "new");
    world.run(100);
    world.fail(() => false);
    world.run(3_000);
    expect(states(world)).toEqual(["healthy"]);
    world.fail(({ instance }) => instance.side === "new");
    world.run(1_000, acts);
    expect(world.verdict().state).toBe("suspect");
    expect(world.verdict().at - (world.firstFailedAt() ?? 0)).toBeLessThanOrEqual(500);
  });
});
