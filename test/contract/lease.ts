import { afterEach, describe, expect, test } from "vitest";
import type { Lease, LeaseHolder } from "../../src/ports/lease.ts";

/** A lease, and conductors that can die: `conductor` names one that runs, `die` ends its process. */
export type LeasePlace = {
  readonly lease: Lease;
  conductor(run: string): Promise<Omit<LeaseHolder, "since">>;
  die(run: string): Promise<void>;
  close(): Promise<void>;
};

const { signal } = new AbortController();

/** What every kind of lease promises. */
export function leaseContract(name: string, open: () => Promise<LeasePlace>): void {
  const places: LeasePlace[] = [];
  afterEach(async () => {
    for (const place of places.splice(0)) await place.close();
  });
  const make = async (): Promise<LeasePlace> => {
    const place = await open();
    places.push(place);
    return place;
  };

  describe(`a lease ${name}`, () => {
    test("a second run is refused and told who holds the component", async () => {
      const { lease, conductor } = await make();
      const first = await conductor("r1");
      const held = await lease.acquire(["production/gateway"], first, signal);
      const refused = await lease
        .acquire(["production/gateway"], await conductor("r2"), signal)
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "LEASE_HELD", hint: expect.stringContaining("midflight status r1") });
      expect(String(refused)).toMatch(
        new RegExp(
          `production/gateway is held by run r1 since \\d{4}-\\d\\d-\\d\\dT.*Z \\(host here, pid ${first.pid}\\)`,
        ),
      );
      expect(await lease.holder("production/gateway")).toMatchObject(first);
      expect(held.lost.aborted).toBe(false);
      await held.release();
    });

    test("a component that was given back can be taken, by a higher epoch", async () => {
      const { lease, conductor } = await make();
      const first = await lease.acquire(["production/gateway"], await conductor("r1"), signal);
      await first.release();
      await first.release();
      expect(await lease.holder("production/gateway")).toBeUndefined();
      const second = await lease.acquire(["production/gateway"], await conductor("r2"), signal);
      expect(second.epoch).toBeGreaterThan(first.epoch);
      await second.release();
      const third = await lease.acquire(["production/gateway"], await conductor("r2"), signal);
      expect(third.epoch).toBeGreaterThan(second.epoch);
      await third.release();
    });

    test("a holder whose process died on this machine is taken over at once", async () => {
      const { lease, conductor, die } = await make();
      const first = await lease.acquire(["production/gateway"], await conductor("r1"), signal);
      await die("r1");
      expect(await lease.holder("production/gateway")).toBeUndefined();
      const second = await lease.acquire(["production/gateway"], await conductor("r2"), signal);
      expect(second.epoch).toBeGreaterThan(first.epoch);
      expect(await lease.holder("production/gateway")).toMatchObject({ run: "r2" });
      // What the dead one left running cannot give away what is no longer its own.
      await first.release();
      expect(await lease.holder("production/gateway")).toMatchObject({ run: "r2" });
      await second.release();
    });

    test("all keys are taken or none", async () => {
      const { lease, conductor } = await make();
      const middle = await lease.acquire(["production/b"], await conductor("r1"), signal);
      await expect(
        lease.acquire(["production/a", "production/b", "production/c"], await conductor("r2"), signal),
      ).rejects.toMatchObject({ code: "LEASE_HELD" });
      expect(await lease.holder("production/a")).toBeUndefined();
      expect(await lease.holder("production/c")).toBeUndefined();
      await middle.release();
      const all = await lease.acquire(
        ["production/c", "production/a", "production/b", "production/a"],
        await conductor("r2"),
        signal,
      );
      for (const key of ["production/a", "production/b", "production/c"])
        expect(await lease.holder(key)).toMatchObject({ run: "r2" });
      await all.release();
      for (const key of ["production/a", "production/b", "production/c"])
        expect(await lease.holder(key)).toBeUndefined();
    });

    test("the epoch of no key ever falls, in whatever company it is taken", async () => {
      const { lease, conductor } = await make();
      const holder = await conductor("r1");
      const take = async (...keys: readonly string[]): Promise<number> => {
        const held = await lease.acquire(keys, holder, signal);
        await held.release();
        return held.epoch;
      };
      const alone = [await take("production/a"), await take("production/a"), await take("production/a")];
      const together = await take("production/a", "production/b");
      const other = await take("production/b");
      expect(together).toBeGreaterThan(Math.max(...alone));
      expect(other).toBeGreaterThan(together);
    });

    test("components of two environments are held apart", async () => {
      const { lease, conductor } = await make();
      const production = await lease.acquire(["production/gateway"], await conductor("r1"), signal);
      const demo = await lease.acquire(["demo/gateway"], await conductor("r2"), signal);
      expect(await lease.holder("production/gateway")).toMatchObject({ run: "r1" });
      expect(await lease.holder("demo/gateway")).toMatchObject({ run: "r2" });
      await Promise.all([production.release(), demo.release()]);
    });

    test("of many that reach for the same components at once, one gets them", async () => {
      const { lease, conductor } = await make();
      const holder = await conductor("r0");
      const tries = await Promise.allSettled(
        Array.from({ length: 12 }, (_, index) =>
          lease.acquire(index % 2 === 0 ? ["p/a", "p/b"] : ["p/b", "p/a"], { ...holder, run: `r${index}` }, signal),
        ),
      );
      const winners = tries.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      expect(winners).toHaveLength(1);
      const refusals = tries.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
      expect(refusals).toEqual(Array.from({ length: 11 }, () => expect.objectContaining({ code: "LEASE_HELD" })));
      await winners[0]?.release();
      expect(await lease.holder("p/a")).toBeUndefined();
      expect(await lease.holder("p/b")).toBeUndefined();
    });

    test("a run that was called off takes nothing", async () => {
      const { lease, conductor } = await make();
      await expect(
        lease.acquire(["production/a"], await conductor("r1"), AbortSignal.abort(new Error("called off"))),
      ).rejects.toThrow("called off");
      expect(await lease.holder("production/a")).toBeUndefined();
    });
  });
}
