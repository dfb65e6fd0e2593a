import { afterEach, describe, expect, test } from "vitest";
import type { Traffic } from "../../src/ports/traffic.ts";
import type { Instance, Workload } from "../../src/ports/workload.ts";
import { shapeOf } from "./switched.ts";
import type { Release } from "./workload.ts";

/** What a route and its two Services say. */
export type EntrySeen = {
  readonly weights: readonly (number | undefined)[];
  readonly selectors: readonly Readonly<Record<string, string>>[];
  /** Annotations of all three. */
  readonly marks: readonly string[];
};

/** A region, tokyo, in which `size` pods of the old release serve behind a route that could send users to a second Service too. */
export type RoutedHarness = {
  readonly workload: Workload;
  readonly traffic: Traffic;
  readonly old: Release;
  readonly fresh: Release;
  readonly bad: Release;
  readonly size: number;
  entry(): Promise<EntrySeen>;
  /** What of the Deployment is held, to the last field. */
  spec(): Promise<unknown>;
  /** Somebody else sets the weight of the second Service. */
  reweigh(weight: number): Promise<void>;
  /** A conductor of its own, as after a crash. */
  open(): { readonly workload: Workload; readonly traffic: Traffic };
  close(): Promise<void>;
};

const { signal } = new AbortController();
const HASH = "pod-template-hash";
let seq = 0;
const next = (epoch = 1) => ({ epoch, seq: (seq += 1) });

const brief = (instances: readonly Instance[]): readonly string[] =>
  instances.map((one) => `${one.release} ${one.ready ? "ready" : "dead"} ${one.weightPct}`).toSorted();
const times = (count: number, text: string): readonly string[] => Array.from({ length: count }, () => text);

/** Orders as the engine gives them: what an instance of each release takes. */
export const weighingOf = (
  { old, fresh, size }: Pick<RoutedHarness, "old" | "fresh" | "size">,
  oldPct: number,
  freshPct: number,
) => [
  { digest: old.digest, admitted: size, weightPct: oldPct },
  { digest: fresh.digest, admitted: freshPct === 0 ? 0 : size, weightPct: freshPct === 0 ? 100 : freshPct },
];

/** What every driver promises that gives shares by the weights of a route. */
export const routedContract = (name: string, make: () => Promise<RoutedHarness>): void => {
  const made: RoutedHarness[] = [];
  const seen = async ({ workload }: Pick<RoutedHarness, "workload">): Promise<readonly string[]> =>
    brief((await workload.observe("tokyo", signal)).instances);
  const begin = async () => {
    const harness = await make();
    made.push(harness);
    await expect
      .poll(() => seen(harness), { timeout: 60_000, interval: 50 })
      .toEqual(times(harness.size, "gateway@1.0 ready 100"));
    return { harness, found: await harness.entry(), spec: await harness.spec() };
  };
  const both = (harness: RoutedHarness): Promise<unknown> =>
    harness.workload.shape("tokyo", shapeOf(harness, harness.size, harness.size), next(), signal);
  const only = (harness: RoutedHarness, which: "old" | "fresh"): Promise<unknown> =>
    harness.workload.shape(
      "tokyo",
      which === "old" ? shapeOf(harness, harness.size, 0) : shapeOf(harness, 0, harness.size),
      next(),
      signal,
    );
  const weigh = (harness: RoutedHarness, oldPct: number, freshPct: number, epoch = 1): Promise<void> =>
    harness.traffic.weigh("tokyo", weighingOf(harness, oldPct, freshPct), next(epoch), signal);
  const pair = ({ size }: RoutedHarness, oldPct: number, freshPct: number): readonly string[] =>
    [...times(size, `gateway@1.0 ready ${oldPct}`), ...times(size, `gateway@2.0 ready ${freshPct}`)].toSorted();
  afterEach(async () => {
    for (const harness of made.splice(0).toReversed()) await harness.close();
  });

  describe(`a route that weighs two Services ${name}`, { timeout: 120_000 }, () => {
    test("a full second set comes up and takes nobody, then its shares, then everybody, and all is as it was found in the end", async () => {
      const { harness, found } = await begin();
      const { size } = harness;
      await both(harness);
      expect(await seen(harness)).toEqual(pair(harness, 100, 0));
      const begun = await harness.entry();
      expect(begun.weights).toEqual(found.weights);
      expect(new Set(begun.selectors.map((selector) => selector[HASH])).size).toBe(2);
      for (const [oldPct, freshPct] of [
        [100, 5],
        [100, 100],
        [0, 100],
      ] as const) {
        await weigh(harness, oldPct, freshPct);
        expect(await seen(harness)).toEqual(pair(harness, oldPct, freshPct));
        expect((await harness.entry()).weights).toEqual([oldPct * size, freshPct * size]);
      }
      await only(harness, "fresh");
      expect(await seen(harness)).toEqual(times(size, "gateway@2.0 ready 100"));
      expect(await harness.entry()).toEqual(found);
    });

    test("a withdrawal is one order, the new ones stay where they are, and an undo restores route, Services and Deployment to the last field", async () => {
      const { harness, found, spec } = await begin();
      await both(harness);
      await weigh(harness, 100, 100);
      await weigh(harness, 100, 0);
      expect(await seen(harness)).toEqual(pair(harness, 100, 0));
      expect((await harness.entry()).weights[1]).toBe(0);
      await only(harness, "old");
      expect(await seen(harness)).toEqual(times(harness.size, "gateway@1.0 ready 100"));
      expect(await harness.entry()).toEqual(found);
      expect(await harness.spec()).toEqual(spec);
    });

    test("a release that was let go already is taken back by the same shares", async () => {
      const { harness, found, spec } = await begin();
      await both(harness);
      await weigh(harness, 0, 100);
      await only(harness, "fresh");
      await both(harness);
      expect(await seen(harness)).toEqual(pair(harness, 0, 100));
      await weigh(harness, 100, 0);
      await only(harness, "old");
      expect(await seen(harness)).toEqual(times(harness.size, "gateway@1.0 ready 100"));
      expect(await harness.entry()).toEqual(found);
      expect(await harness.spec()).toEqual(spec);
    });

    test("who should leave while they take users hands them over first", async () => {
      const { harness, found } = await begin();
      await both(harness);
      await weigh(harness, 100, 50);
      await only(harness, "fresh");
      expect(await seen(harness)).toEqual(times(harness.size, "gateway@2.0 ready 100"));
      expect(await harness.entry()).toEqual(found);
    });

    test("what was told twice is done once, and another conductor goes on from where one died", async () => {
      const { harness, found } = await begin();
      await both(harness);
      await both({ ...harness, ...harness.open() });
      await weigh(harness, 100, 50);
      const entry = await harness.entry();
      await weigh({ ...harness, ...harness.open() }, 100, 50);
      expect(await harness.entry()).toEqual(entry);
      await only({ ...harness, ...harness.open() }, "fresh");
      expect(await harness.entry()).toEqual(found);
    });

    test("nobody is sent to a second set that is not there in full", async () => {
      const { harness, found } = await begin();
      const spoilt = { ...harness, fresh: harness.bad };
      await expect(both(spoilt)).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
      await expect(weigh(spoilt, 100, 5)).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
      expect((await harness.entry()).weights).toEqual(found.weights);
      await only(spoilt, "old");
      expect(await harness.entry()).toEqual(found);
    });

    test("a weight that somebody else changed is told, at every look, and stops every order", async () => {
      const { harness } = await begin();
      await both(harness);
      await weigh(harness, 100, 50);
      await harness.reweigh(7);
      const text = expect.stringMatching(/^httproute .* was changed by somebody else .*weight: \d+ → 7/);
      expect((await harness.workload.observe("tokyo", signal)).foreign).toEqual(text);
      await expect(weigh(harness, 0, 100)).rejects.toMatchObject({ code: "FOREIGN_CHANGE", message: text });
      await expect(only(harness, "old")).rejects.toMatchObject({ code: "FOREIGN_CHANGE", message: text });
      expect((await harness.entry()).weights[1]).toBe(7);
    });

    test("a late share of an older conductor changes nothing", async () => {
      const { harness } = await begin();
      await both(harness);
      await weigh(harness, 100, 50, 2);
      const entry = await harness.entry();
      await expect(weigh(harness, 0, 100)).rejects.toMatchObject({ code: "FENCED" });
      expect(await harness.entry()).toEqual(entry);
    });
  });
};
