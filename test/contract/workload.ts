import { afterEach, describe, expect, test } from "vitest";
import type { Traffic } from "../../src/ports/traffic.ts";
import type { Instance, Shape, Workload } from "../../src/ports/workload.ts";

export type Release = { readonly release: string; readonly digest: string };

/** Two empty regions, tokyo and frankfurt. Instances can die, and a region can be cut off. `bad` never gets ready. */
export type WorkloadHarness = {
  readonly workload: Workload;
  readonly traffic: Traffic;
  readonly old: Release;
  readonly fresh: Release;
  readonly bad: Release;
  /**
   * `kept`: an instance has its place and its name, whatever happens to it. `replaced`: the target itself keeps as many as it was told. Then those
   * that stay move up, one that died comes back by itself and in traffic, one that is withdrawn leaves, and takes all or nothing before.
   */
  readonly instances: "kept" | "replaced";
  /** It does not answer any more. */
  kill(id: string): Promise<void>;
  /** What the target does by itself about one that died, where it does anything. */
  revive(id: string): Promise<void>;
  cut(region: string): Promise<void>;
  close(): Promise<void>;
};

const { signal } = new AbortController();
const drain = { noticeMs: 20, deadlineMs: 1_000 };
const at = (seq: number, epoch = 1) => ({ epoch, seq });
const shape = (...releases: readonly (readonly [Release, number])[]): Shape => ({
  releases: releases.map(([release, count]) => ({ ...release, count })),
  drain,
});
const brief = (instances: readonly Instance[]): readonly string[] =>
  instances.map((one) => `${one.release}/${one.ordinal}${one.ready ? "" : " dead"} ${one.weightPct}`).toSorted();
const idOf = (instances: readonly Instance[], { digest }: Release, ordinal: number): string =>
  instances.find((one) => one.digest === digest && one.ordinal === ordinal)?.id ?? "nobody";

/** What every workload and its traffic promise. */
export const workloadContract = (name: string, make: () => Promise<WorkloadHarness>): void => {
  const made: WorkloadHarness[] = [];
  const begin = async (): Promise<WorkloadHarness> => {
    const harness = await make();
    made.push(harness);
    return harness;
  };
  afterEach(async () => {
    for (const harness of made.splice(0).toReversed()) await harness.close();
  });

  describe(`instances ${name}`, () => {
    test("a new release comes up in the dark beside the old one, takes traffic, and the old one leaves", async () => {
      const { workload, traffic, old, fresh, instances } = await begin();
      const partPct = instances === "kept" ? 40 : 100;
      const first = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
      expect(brief(first.instances)).toEqual(["gateway@1.0/1 0", "gateway@1.0/2 0"]);
      await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
      const both = await workload.shape("tokyo", shape([old, 2], [fresh, 1]), at(3), signal);
      expect(brief(both.instances)).toEqual(["gateway@1.0/1 100", "gateway@1.0/2 100", "gateway@2.0/1 0"]);
      await traffic.weigh("tokyo", [{ digest: fresh.digest, admitted: 1, weightPct: partPct }], at(4), signal);
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
        "gateway@1.0/1 100",
        "gateway@1.0/2 100",
        `gateway@2.0/1 ${partPct}`,
      ]);
      const less = await workload.shape("tokyo", shape([old, 1], [fresh, 1]), at(5), signal);
      expect(brief(less.instances)).toEqual(["gateway@1.0/1 100", `gateway@2.0/1 ${partPct}`]);
      expect(brief((await workload.observe("frankfurt", signal)).instances)).toEqual([]);
    });

    test("who is admitted and not there comes in traffic, where the target brings instances itself", async () => {
      const { workload, traffic, old, fresh, instances } = await begin();
      if (instances === "kept") return;
      await workload.shape("tokyo", shape([old, 2]), at(1), signal);
      await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
      const weighing = [
        { digest: old.digest, admitted: 2, weightPct: 100 },
        { digest: fresh.digest, admitted: 1, weightPct: 100 },
      ];
      for (const seq of [3, 4]) {
        await traffic.weigh("tokyo", weighing, at(seq), signal);
        expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
          "gateway@1.0/1 100",
          "gateway@1.0/2 100",
          "gateway@2.0/1 100",
        ]);
      }
    });

    test("what was told twice is done once", async () => {
      const { workload, traffic, old } = await begin();
      const first = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
      expect(await workload.shape("tokyo", shape([old, 2]), at(1), signal)).toEqual(first);
      const weighing = [{ digest: old.digest, admitted: 1, weightPct: 100 }];
      await traffic.weigh("tokyo", weighing, at(2), signal);
      await traffic.weigh("tokyo", weighing, at(2), signal);
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
        "gateway@1.0/1 100",
        "gateway@1.0/2 0",
      ]);
    });

    test("an instance of nobody's run stops everything, and is left alone", async () => {
      const { workload, old, fresh } = await begin();
      const { instances } = await workload.shape("tokyo", shape([old, 1]), at(1), signal);
      await expect(workload.shape("tokyo", shape([fresh, 1]), at(2), signal)).rejects.toMatchObject({
        code: "FOREIGN_CHANGE",
        message: expect.stringContaining(idOf(instances, old, 1)),
      });
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual(["gateway@1.0/1 0"]);
      expect(brief((await workload.shape("tokyo", shape([old, 0], [fresh, 1]), at(3), signal)).instances)).toEqual([
        "gateway@2.0/1 0",
      ]);
    });

    test("an instance that died is reported, and comes back under its name", async () => {
      const { workload, traffic, old, kill, revive, instances } = await begin();
      await workload.shape("tokyo", shape([old, 2]), at(1), signal);
      await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
      const before = await workload.observe("tokyo", signal);
      const id = idOf(before.instances, old, 1);
      await kill(id);
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
        "gateway@1.0/1 dead 100",
        "gateway@1.0/2 100",
      ]);
      await revive(id);
      const after = await workload.shape("tokyo", shape([old, 2]), at(3), signal);
      expect(brief(after.instances)).toEqual(
        instances === "kept" ? ["gateway@1.0/1 0", "gateway@1.0/2 100"] : ["gateway@1.0/1 100", "gateway@1.0/2 100"],
      );
      expect(after.instances.map((one) => one.id).toSorted()).toEqual(before.instances.map((one) => one.id).toSorted());
    });

    test("a dead instance leaves before one that serves", async () => {
      const { workload, traffic, old, kill, instances } = await begin();
      await workload.shape("tokyo", shape([old, 3]), at(1), signal);
      await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 3, weightPct: 100 }], at(2), signal);
      const before = await workload.observe("tokyo", signal);
      const dead = idOf(before.instances, old, 1);
      await kill(dead);
      const after = await workload.shape("tokyo", shape([old, 2]), at(3), signal);
      expect(after.instances.map(({ id }) => id).toSorted()).toEqual(
        before.instances.flatMap(({ id }) => (id === dead ? [] : [id])).toSorted(),
      );
      expect(brief(after.instances)).toEqual(
        instances === "kept" ? ["gateway@1.0/2 100", "gateway@1.0/3 100"] : ["gateway@1.0/1 100", "gateway@1.0/2 100"],
      );
      await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], at(4), signal);
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual(
        instances === "kept" ? ["gateway@1.0/2 100", "gateway@1.0/3 0"] : ["gateway@1.0/1 100"],
      );
    });

    test("nobody is sent to an instance that does not answer", async () => {
      const { workload, traffic, old, kill } = await begin();
      const { instances } = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
      const dead = idOf(instances, old, 2);
      await kill(dead);
      const weighing = traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
      await expect(weighing).rejects.toMatchObject({
        code: "INSTANCE_NOT_READY",
        message: expect.stringContaining(dead),
      });
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
        "gateway@1.0/1 100",
        "gateway@1.0/2 dead 0",
      ]);
    });

    test("new instances are withdrawn although one of them is dead", async () => {
      const { workload, traffic, old, fresh, kill, instances } = await begin();
      await workload.shape("tokyo", shape([old, 1], [fresh, 2]), at(1), signal);
      await traffic.weigh(
        "tokyo",
        [
          { digest: old.digest, admitted: 1, weightPct: 100 },
          { digest: fresh.digest, admitted: 2, weightPct: 100 },
        ],
        at(2),
        signal,
      );
      await kill(idOf((await workload.observe("tokyo", signal)).instances, fresh, 1));
      await traffic.weigh(
        "tokyo",
        [
          { digest: old.digest, admitted: 1, weightPct: 100 },
          { digest: fresh.digest, admitted: 0, weightPct: 100 },
        ],
        at(3),
        signal,
      );
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
        "gateway@1.0/1 100",
        ...(instances === "kept" ? ["gateway@2.0/1 dead 0", "gateway@2.0/2 0"] : []),
      ]);
    });

    test("a release that never gets ready is told from one that does, and can be cleared away", async () => {
      const { workload, old, bad } = await begin();
      await workload.shape("tokyo", shape([old, 1]), at(1), signal);
      const refusal = await workload
        .shape("tokyo", shape([old, 1], [bad, 1]), at(2), signal)
        .then(() => undefined)
        .catch((error: unknown) => error);
      const { instances } = await workload.observe("tokyo", signal);
      expect(refusal).toMatchObject({
        code: "INSTANCE_NOT_READY",
        message: expect.stringContaining(idOf(instances, bad, 1)),
      });
      expect(brief(instances)).toEqual(["gateway@1.0/1 0", "gateway@3.0/1 dead 0"]);
      expect(brief((await workload.shape("tokyo", shape([old, 1], [bad, 0]), at(3), signal)).instances)).toEqual([
        "gateway@1.0/1 0",
      ]);
    });

    test("a late write of an older conductor, or of an older order, changes nothing", async () => {
      const { workload, traffic, old } = await begin();
      await workload.shape("tokyo", shape([old, 1]), at(5, 2), signal);
      for (const fence of [at(9, 1), at(4, 2)]) {
        await expect(workload.shape("tokyo", shape([old, 0]), fence, signal)).rejects.toMatchObject({ code: "FENCED" });
        await expect(
          traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], fence, signal),
        ).rejects.toMatchObject({ code: "FENCED" });
      }
      expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual(["gateway@1.0/1 0"]);
      await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], at(6, 2), signal);
      await expect(workload.shape("tokyo", shape([old, 0]), at(5, 2), signal)).rejects.toMatchObject({
        code: "FENCED",
      });
      expect(brief((await workload.shape("frankfurt", shape([old, 1]), at(1), signal)).instances)).toEqual([
        "gateway@1.0/1 0",
      ]);
    });

    test("a region that is cut off is unreachable, and the other one is not", async () => {
      const { workload, traffic, old, cut } = await begin();
      await workload.shape("tokyo", shape([old, 1]), at(1), signal);
      await cut("tokyo");
      await expect(workload.observe("tokyo", signal)).rejects.toMatchObject({ code: "WORKLOAD_UNREACHABLE" });
      await expect(workload.shape("tokyo", shape([old, 2]), at(2), signal)).rejects.toMatchObject({
        code: "WORKLOAD_UNREACHABLE",
      });
      await expect(
        traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], at(3), signal),
      ).rejects.toMatchObject({ code: "BALANCER_UNREACHABLE" });
      expect((await workload.observe("frankfurt", signal)).instances).toEqual([]);
    });

    test("an order that was taken back before it began does nothing", async () => {
      const { workload, traffic, old } = await begin();
      const reason = new Error("no longer wanted");
      const gone = AbortSignal.abort(reason);
      await expect(workload.shape("tokyo", shape([old, 1]), at(1), gone)).rejects.toBe(reason);
      await expect(workload.observe("tokyo", gone)).rejects.toBe(reason);
      await expect(traffic.weigh("tokyo", [], at(1), gone)).rejects.toBe(reason);
      expect((await workload.observe("tokyo", signal)).instances).toEqual([]);
    });
  });
};
