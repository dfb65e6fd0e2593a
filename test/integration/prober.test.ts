import { afterEach, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import type { ProberLine } from "../../src/adapters/guard-thread/prober/prober-line.ts";
import type { Verdict, VerdictState } from "../../src/guard/verdict.ts";
import type { Watcher, WatchPulse } from "../../src/ports/watcher.ts";
import { childProber, type ChildProber } from "../fakes/child-prober.ts";
import { probeAccounts } from "../fakes/okx-server.ts";
import { eventually, guardOf, PREFIX, watchedVenue, type WatchedVenue } from "../fakes/watched-venue.ts";

const SYSTEM_ERROR = { code: "50026", http: 500 };
const FOREVER = new AbortController().signal;
const idle: Watcher = { ...guardThread(), stop: () => Promise.resolve() };

let undo: (() => Promise<void>) | undefined;
afterEach(async () => {
  await undo?.();
  undo = undefined;
});

type Seen = {
  readonly watcher: Watcher;
  readonly prober: ChildProber;
  readonly venue: WatchedVenue;
  readonly verdicts: Verdict[];
  readonly pulses: WatchPulse[];
  readonly until: (state: VerdictState, ms?: number) => Promise<Verdict>;
};

/** A venue whose probes are a process of their own, and whose counters nobody reads. */
async function watch(accounts = JSON.stringify(probeAccounts("tokyo"))): Promise<Seen & { start(): Promise<void> }> {
  const venue = await watchedVenue(idle, [{ region: "tokyo", old: 3 }], { hasCounters: false });
  const [region] = venue.config.regions;
  if (region?.probe?.kind !== "okx") throw new Error("no probe");
  const probe = { ...region.probe, accounts: { env: "PROBES" } };
  const prober = childProber(
    { midflight: 1, region: "tokyo", probe, guard: guardOf(), prefix: PREFIX, rules: {}, otherOrigins: [] },
    { PROBES: accounts },
  );
  const watcher = guardThread({ probers: { tokyo: prober } });
  const verdicts: Verdict[] = [];
  const pulses: WatchPulse[] = [];
  undo = async () => {
    await watcher.stop();
    await venue.close();
  };
  return {
    watcher,
    prober,
    venue,
    verdicts,
    pulses,
    until: (state, ms = 15_000) =>
      eventually(
        () => (verdicts.at(-1)?.state === state ? verdicts.at(-1) : undefined),
        ms,
        () => `${state}; ${JSON.stringify(verdicts.map((one) => [one.state, one.reason]))}; ${prober.stderr()}`,
      ),
    start: () => {
      watcher.instances(venue.before);
      return watcher.start(
        { ...venue.config, regions: [{ ...region, probe, accounts: [], isRemote: true }] },
        { verdict: (verdict) => void verdicts.push(verdict), pulse: (pulse) => void pulses.push(pulse) },
      );
    },
  };
}

const begun = async (): Promise<Seen> => {
  const seen = await watch();
  await seen.start();
  await seen.until("healthy");
  return seen;
};
const lineOf = (text: string | undefined): ProberLine => JSON.parse(text ?? "{}") as ProberLine;
const probed = ({ pulses }: Seen): number =>
  (pulses.at(-1)?.streams ?? []).reduce((sum, { issued }) => sum + issued, 0);

describe("probes in a process of their own", () => {
  test("show health by what they did after each mark, and leave no order", async () => {
    const seen = await begun();
    seen.watcher.mark({ id: "m", cause: { kind: "metadata", component: "orders-db" } });
    const proved = await seen.watcher.evidence({ excludePct: 10, confidencePct: 99 }, FOREVER);
    expect(proved.state).toBe("healthy");
    expect(seen.verdicts.map(({ state }) => state)).toEqual(["healthy"]);
    expect(seen.pulses.at(-1)?.schedule?.slots).toBeGreaterThan(0);
    await seen.watcher.stop();
    expect(seen.venue.server("tokyo").openOrders()).toBe(0);
  });

  test("see a release that fails in traffic, and on which side it fails", async () => {
    const seen = await begun();
    const { venue, watcher } = seen;
    venue.server("tokyo").fault([{ operation: "amend", instances: ["tokyo-new"], share: 1 / 2, how: SYSTEM_ERROR }]);
    const fresh = { ...venue.dark("tokyo"), inTraffic: true };
    watcher.instances([...venue.before, fresh]);
    watcher.mark({ id: "admit", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
    venue.server("tokyo").expose([...venue.before.map(({ id }) => id), fresh.id]);
    const suspect = await seen.until("suspect");
    expect(suspect.reason).toMatch(/^amend in tokyo on gateway@2\.0: \d+ of \d+ failed \(50026\)/);
  });

  test("prove an instance in the dark, or refute it", async () => {
    const { watcher, venue, prober } = await begun();
    const dark = venue.dark("tokyo");
    const order = { instances: [dark], excludePct: 10, confidencePct: 95, deadlineMs: 20_000 };
    watcher.instances([...venue.before, dark]);
    expect(await watcher.prove({ ...order, id: "good" }, FOREVER)).toMatchObject({ kind: "proved" });
    venue.server("tokyo").fault([{ operation: "amend", instances: ["tokyo-new"], share: 1 / 2, how: SYSTEM_ERROR }]);
    expect(await watcher.prove({ ...order, id: "bad" }, FOREVER)).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(/^amend on tokyo-new \(gateway@2\.0\): \d+ of \d+ failed, mostly 50026$/) as string,
    });
    await eventually(
      () => (lineOf(prober.lines.at(-1)).proofs === undefined ? true : undefined),
      5_000,
      () => "a proof that is no longer told",
    );
  });

  test("whose lines are lost and come twice count each outcome once", async () => {
    const seen = await begun();
    seen.prober.repeat(3);
    seen.prober.mute(true);
    const at = seen.prober.lines.length;
    await eventually(
      () => (seen.prober.lines.length > at + 5 ? true : undefined),
      5_000,
      () => "lines that nobody heard",
    );
    seen.prober.mute(false);
    const before = probed(seen);
    await eventually(
      () => (probed(seen) > before + 30 ? true : undefined),
      10_000,
      () => "counts that go on",
    );
    // Read after the pulse: what the venue saw is as much or a little more, never less, and never three times as much.
    expect(probed(seen)).toBeLessThanOrEqual(seen.venue.server("tokyo").operations());
    expect(seen.verdicts.map(({ state }) => state)).toEqual(["healthy"]);
  });

  test("that are killed are silent, never healthy, and are heard again when they are back", async () => {
    const seen = await begun();
    await seen.prober.kill();
    const silent = await seen.until("unknown");
    expect(silent.reason).toMatch(/no outcome of \w+ in tokyo for \d\.\d s: the probes of tokyo have said nothing for/);
    seen.prober.revive();
    await seen.until("healthy");
  });

  test("that hear no guard rest within its time, leave no order, and go on when they hear one", async () => {
    const seen = await begun();
    seen.prober.holdOrders(true);
    await eventually(
      () => (lineOf(seen.prober.lines.at(-1)).isIdle === true ? true : undefined),
      15_000,
      () => "rest",
    );
    expect(seen.venue.server("tokyo").openOrders()).toBe(0);
    await seen.until("unknown");
    expect(seen.verdicts.at(-1)?.reason).toContain("hear no order");
    seen.prober.holdOrders(false);
    await seen.until("healthy");
  }, 60_000);

  test("that cannot begin as they are set up keep the guard from starting, with what is wrong", async () => {
    const seen = await watch("[]");
    await expect(seen.start()).rejects.toMatchObject({
      code: "PROBES_REFUSED",
      message: expect.stringMatching(/^the probes of tokyo cannot begin .*are no list, or an empty one/) as string,
    });
  });
});
