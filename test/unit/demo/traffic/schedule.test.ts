import { expect, test } from "vitest";
import { createLedger } from "../../../../src/demo/traffic/ledger.ts";
import { intentOf } from "../../../../src/demo/traffic/intent.ts";
import type { Market } from "../../../../src/demo/traffic/intent.ts";
import { arrivals, habitsOf } from "../../../../src/demo/traffic/schedule.ts";
import type { Arrival } from "../../../../src/demo/traffic/schedule.ts";

const uids = Array.from({ length: 200 }, (_, index) => String(1000 + index));
const options = { uids, seed: 7, ratePerSec: 300, plantedFailureRate: 0.001, leverageShare: 0.005 };
const market: Market = {
  instId: "BTC-USDT",
  instIdCode: 3,
  pxDigits: 1,
  szDigits: 8,
  referencePx: 60_000,
  unitSz: 0.0005,
};

const take = (count: number, more: Partial<typeof options> = {}): readonly Arrival[] => {
  const coming = arrivals({ ...options, ...more });
  return Array.from({ length: count }, () => coming.next().value);
};
const bare = (arrival: Arrival): object => ({ ...arrival, plant: undefined });

test("the same seed gives the same users' wishes at the same times", () => {
  expect(take(2_000)).toEqual(take(2_000));
  expect(habitsOf(uids, 7, 0.3)).toEqual(habitsOf(uids, 7, 0.3));
});

test("another seed gives other ones", () => {
  expect(take(100, { seed: 8 })).not.toEqual(take(100));
});

test("planting failures does not change who wants what and when", () => {
  expect(take(2_000, { plantedFailureRate: 0.1 }).map(bare)).toEqual(take(2_000, { plantedFailureRate: 0 }).map(bare));
});

test("arrivals come at the rate that was asked for", () => {
  const lastMs = take(30_000).at(-1)?.atMs ?? 0;
  expect(30_000 / (lastMs / 1_000)).toBeGreaterThan(290);
  expect(30_000 / (lastMs / 1_000)).toBeLessThan(310);
});

test("about one operation in a thousand is planted to fail, now and then three or more in a row", () => {
  const planted = take(200_000).map((arrival) => arrival.plant !== undefined);
  const count = planted.filter(Boolean).length;
  expect(count).toBeGreaterThan(120);
  expect(count).toBeLessThan(300);
  expect(planted.some((is, index) => is && planted[index + 1] === true && planted[index + 2] === true)).toBe(true);
});

test("users place, amend and cancel at about 45, 25 and 30 in a hundred, and many amend among several resting orders", () => {
  const habits = new Map(habitsOf(uids, 7, 0.3).map((one) => [one.uid, one]));
  const ledger = createLedger();
  const counts = { order: 0, amend: 0, cancel: 0, leverage: 0 };
  let amendsAmongSeveral = 0;
  for (const arrival of take(15_000)) {
    const of = habits.get(arrival.uid);
    if (of === undefined) throw new Error(`nobody is ${arrival.uid}`);
    const intent = intentOf(arrival, of, ledger, [market]);
    if (intent.kind === "order") {
      const { side, values, ordType } = intent;
      const order = ledger.open({
        uid: arrival.uid,
        clOrdId: `c${arrival.index}`,
        instId: market.instId,
        side,
        rests: ordType !== "ioc",
        values,
      });
      order.placed = "acknowledged";
      order.isBusy = false;
    }
    if (intent.kind === "cancel") intent.order.cancel = "acknowledged";
    if (arrival.index < 5_000) continue;
    counts[intent.kind]++;
    if (intent.kind === "amend" && ledger.idle(arrival.uid).length > 1) amendsAmongSeveral++;
  }
  const total = counts.order + counts.amend + counts.cancel;
  expect(counts.order / total).toBeCloseTo(0.45, 1);
  expect(counts.amend / total).toBeCloseTo(0.25, 1);
  expect(counts.cancel / total).toBeCloseTo(0.3, 1);
  expect(amendsAmongSeveral / counts.amend).toBeGreaterThan(0.4);
});

test("every cohort has users in both regions", () => {
  const homes = habitsOf(uids, 7, 0.3).map((habits) => `${Number(habits.uid) % 10} ${habits.home}`);
  expect(new Set(homes).size).toBe(20);
});
