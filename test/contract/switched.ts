import { afterEach, describe, expect, test } from "vitest";
import type { Traffic } from "../../src/ports/traffic.ts";
import type { Instance, Shape, Workload } from "../../src/ports/workload.ts";
import type { Release } from "./workload.ts";

/** What a Service says: whom it selects, and whose marks it carries. */
export type ServiceSeen = { readonly selector: Readonly<Record<string, string>>; readonly marks: readonly string[] };

/** A region, tokyo, in which `size` pods of the old release serve, and a Service that can name one of two releases. */
export type SwitchedHarness = {
  readonly workload: Workload;
  readonly traffic: Traffic;
  readonly old: Release;
  readonly fresh: Release;
  readonly bad: Release;
  readonly size: number;
  readonly plain: Readonly<Record<string, string>>;
  service(): Promise<ServiceSeen>;
  /** What of the Deployment is held, to the last field. */
  spec(): Promise<unknown>;
  /** Somebody else sets the selector. */
  select(selector: Readonly<Record<string, string>>): Promise<void>;
  /** A conductor of its own, as after a crash. */
  open(): { readonly workload: Workload; readonly traffic: Traffic };
  close(): Promise<void>;
};

const { signal } = new AbortController();
const HASH = "pod-template-hash";
let seq = 0;
const next = (epoch = 1) => ({ epoch, seq: (seq += 1) });

export const shapeOf = (
  { old, fresh }: Pick<SwitchedHarness, "old" | "fresh">,
  before: number,
  after: number,
): Shape => ({
  releases: [
    { ...old, count: before },
    { ...fresh, count: after },
  ],
  drain: { noticeMs: 0, deadlineMs: 1_000 },
});

const brief = (instances: readonly Instance[]): readonly string[] =>
  instances.map((one) => `${one.release} ${one.ready ? "ready" : "dead"} ${one.weightPct}`).toSorted();
const times = (count: number, text: string): readonly string[] => Array.from({ length: count }, () => text);

/** What every driver promises that switches all users by the selector of a Service. */
export const switchedContract = (name: string, make: () => Promise<SwitchedHarness>): void => {
  const made: SwitchedHarness[] = [];
  const seen = async ({ workload }: Pick<SwitchedHarness, "workload">): Promise<readonly string[]> =>
    brief((await workload.observe("tokyo", signal)).instances);
  const begin = async (): Promise<SwitchedHarness> => {
    const harness = await make();
    made.push(harness);
    await expect
      .poll(() => seen(harness), { timeout: 60_000, interval: 50 })
      .toEqual(times(harness.size, "gateway@1.0 ready 100"));
    return harness;
  };
  /** All users to the new release, or back to the old one. */
  const weighing = ({ old, fresh, size }: SwitchedHarness, to: "old" | "fresh") => [
    { digest: old.digest, admitted: size, weightPct: to === "old" ? 100 : 0 },
    { digest: fresh.digest, admitted: to === "old" ? 0 : size, weightPct: 100 },
  ];
  const fresh = (harness: SwitchedHarness): Promise<unknown> =>
    harness.workload.shape("tokyo", shapeOf(harness, harness.size, harness.size), next(), signal);
  const switched = (harness: SwitchedHarness, to: "old" | "fresh"): Promise<void> =>
    harness.traffic.weigh("tokyo", weighing(harness, to), next(), signal);
  afterEach(async () => {
    for (const harness of made.splice(0).toReversed()) await harness.close();
  });

  describe(`a Service that names one release ${name}`, { timeout: 120_000 }, () => {
    test("a full second set comes up out of reach, takes all users at once, and the selector is as it was in the end", async () => {
      const harness = await begin();
      const { size } = harness;
      await fresh(harness);
      expect(await seen(harness)).toEqual([
        ...times(size, "gateway@1.0 ready 100"),
        ...times(size, "gateway@2.0 ready 0"),
      ]);
      const { selector } = await harness.service();
      expect({ ...selector, [HASH]: undefined }).toEqual({ ...harness.plain, [HASH]: undefined });
      await switched(harness, "fresh");
      expect(await seen(harness)).toEqual([
        ...times(size, "gateway@1.0 ready 0"),
        ...times(size, "gateway@2.0 ready 100"),
      ]);
      expect((await harness.service()).selector[HASH]).not.toBe(selector[HASH]);
      await harness.workload.shape("tokyo", shapeOf(harness, 0, size), next(), signal);
      expect(await seen(harness)).toEqual(times(size, "gateway@2.0 ready 100"));
      expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
    });

    test("users go back in one order while the old ones stay, and an undo restores selector and Deployment to the last field", async () => {
      const harness = await begin();
      const { size } = harness;
      const spec = await harness.spec();
      await fresh(harness);
      await switched(harness, "fresh");
      await switched(harness, "old");
      expect(await seen(harness)).toEqual([
        ...times(size, "gateway@1.0 ready 100"),
        ...times(size, "gateway@2.0 ready 0"),
      ]);
      await harness.workload.shape("tokyo", shapeOf(harness, size, 0), next(), signal);
      expect(await seen(harness)).toEqual(times(size, "gateway@1.0 ready 100"));
      expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
      expect(await harness.spec()).toEqual(spec);
    });

    test("a release that was let go already is taken back: the old ones come out of reach and take all users before the new ones leave", async () => {
      const harness = await begin();
      const { size } = harness;
      const spec = await harness.spec();
      await fresh(harness);
      await switched(harness, "fresh");
      await harness.workload.shape("tokyo", shapeOf(harness, 0, size), next(), signal);
      await fresh(harness);
      expect(await seen(harness)).toEqual([
        ...times(size, "gateway@1.0 ready 0"),
        ...times(size, "gateway@2.0 ready 100"),
      ]);
      await switched(harness, "old");
      await harness.workload.shape("tokyo", shapeOf(harness, size, 0), next(), signal);
      expect(await seen(harness)).toEqual(times(size, "gateway@1.0 ready 100"));
      expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
      expect(await harness.spec()).toEqual(spec);
    });

    test("who should leave while the Service names them hands users over first", async () => {
      const harness = await begin();
      await fresh(harness);
      await harness.workload.shape("tokyo", shapeOf(harness, 0, harness.size), next(), signal);
      expect(await seen(harness)).toEqual(times(harness.size, "gateway@2.0 ready 100"));
      expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
    });

    test("what was told twice is done once, and another conductor goes on from where one died", async () => {
      const harness = await begin();
      await fresh(harness);
      await fresh({ ...harness, ...harness.open() });
      await switched(harness, "fresh");
      const service = await harness.service();
      await switched({ ...harness, ...harness.open() }, "fresh");
      expect(await harness.service()).toEqual(service);
      const other = harness.open();
      await other.workload.shape("tokyo", shapeOf(harness, 0, harness.size), next(), signal);
      expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
    });

    test("nobody is sent to a second set that is not there in full", async () => {
      const harness = await begin();
      const spoilt = { ...harness, fresh: harness.bad };
      await expect(fresh(spoilt)).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
      await expect(switched(spoilt, "fresh")).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
      expect((await seen(spoilt)).filter((one) => one.endsWith(" 100"))).toEqual(
        times(harness.size, "gateway@1.0 ready 100"),
      );
      await harness.workload.shape("tokyo", shapeOf(spoilt, harness.size, 0), next(), signal);
      expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
    });

    test("a share of the users is no switch", async () => {
      const harness = await begin();
      await fresh(harness);
      const both = weighing(harness, "fresh").map((one) => ({ ...one, weightPct: 100 }));
      for (const asked of [both, both.map((one) => ({ ...one, weightPct: 50 }))])
        await expect(harness.traffic.weigh("tokyo", asked, next(), signal)).rejects.toMatchObject({
          code: "DRIVER_CANNOT",
        });
    });

    test("a selector that somebody else changed is told label by label, at every look, and stops every order", async () => {
      const harness = await begin();
      await fresh(harness);
      await harness.select({ ...harness.plain });
      const text = expect.stringMatching(
        /^service .* was changed by somebody else .*pod-template-hash: "\w+" → nothing/,
      );
      expect((await harness.workload.observe("tokyo", signal)).foreign).toEqual(text);
      await expect(switched(harness, "fresh")).rejects.toMatchObject({ code: "FOREIGN_CHANGE", message: text });
      await expect(fresh(harness)).rejects.toMatchObject({ code: "FOREIGN_CHANGE", message: text });
      expect((await harness.service()).selector).toEqual(harness.plain);
    });

    test("a late switch of an older conductor changes nothing", async () => {
      const harness = await begin();
      await fresh(harness);
      await harness.traffic.weigh("tokyo", weighing(harness, "fresh"), next(2), signal);
      const service = await harness.service();
      await expect(switched(harness, "old")).rejects.toMatchObject({ code: "FENCED" });
      expect(await harness.service()).toEqual(service);
    });
  });
};
