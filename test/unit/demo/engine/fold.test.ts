import fc from "fast-check";
import { expect, test } from "vitest";
import { apply } from "../../../../src/demo/venue/engine/apply.ts";
import { answer } from "../../../../src/demo/venue/engine/answer.ts";
import { readDecimal, showDecimal } from "../../../../src/demo/venue/engine/decimal.ts";
import type { Command } from "../../../../src/demo/venue/engine/entry.ts";
import { createState } from "../../../../src/demo/venue/engine/state.ts";
import type { EngineState } from "../../../../src/demo/venue/engine/state.ts";
import { INSTRUMENTS, openDesk } from "./desk.ts";
import type { Desk } from "./desk.ts";

const UIDS = ["1", "2", "3"];
type Act =
  | {
      readonly act: "place";
      readonly uid: string;
      readonly side: "buy" | "sell";
      readonly px: number;
      readonly sz: number;
      readonly ordType: "limit" | "market" | "post_only" | "ioc" | "fok";
    }
  | { readonly act: "amend"; readonly pick: number; readonly px: number; readonly sz: number }
  | { readonly act: "cancel"; readonly pick: number }
  | { readonly act: "switch"; readonly uid: string; readonly timeOutSec: number }
  | { readonly act: "wait"; readonly ms: number };

const px = fc.integer({ min: 95, max: 105 });
const sz = fc.integer({ min: 1, max: 4_000 });
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant("place" as const),
      uid: fc.constantFrom(...UIDS),
      side: fc.constantFrom("buy" as const, "sell" as const),
      px,
      sz,
      ordType: fc.constantFrom(
        "limit" as const,
        "limit" as const,
        "market" as const,
        "post_only" as const,
        "ioc" as const,
        "fok" as const,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("amend" as const), pick: fc.nat(), px, sz }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("cancel" as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant("switch" as const),
      uid: fc.constantFrom(...UIDS),
      timeOutSec: fc.constantFrom(0, 10),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
);

const play = (acts: readonly Act[]): Desk => {
  const desk = openDesk();
  const placed: { readonly uid: string; readonly ordId: string }[] = [];
  const picked = (pick: number): { readonly uid: string; readonly ordId: string } =>
    placed[pick % placed.length] ?? { uid: "1", ordId: "0" };
  for (const one of acts) {
    switch (one.act) {
      case "place": {
        const outcome = desk.place(one.uid, one.side, String(one.px), `0.${String(one.sz).padStart(4, "0")}`, {
          ordType: one.ordType,
        });
        if (outcome.order !== undefined) placed.push({ uid: one.uid, ordId: outcome.order.ordId });
        break;
      }
      case "amend": {
        const { uid, ordId } = picked(one.pick);
        desk.amend(uid, ordId, { newPx: String(one.px), newSz: `0.${String(one.sz).padStart(4, "0")}` });
        break;
      }
      case "cancel": {
        const { uid, ordId } = picked(one.pick);
        desk.cancel(uid, ordId);
        break;
      }
      case "switch":
        desk.enter({ op: "cancel-all-after", uid: one.uid, tag: "", timeOutSec: one.timeOutSec });
        break;
      case "wait":
        desk.now += one.ms;
        desk.enter({ op: "timer-due", uid: "1", tag: "" });
    }
  }
  return desk;
};

/** Everything that a user could see. */
const view = (state: EngineState): unknown => [
  ...UIDS.flatMap((uid) => [
    answer(state, { rid: 0, op: "pending", uid, limit: 1_000 }, 0),
    answer(state, { rid: 0, op: "balance", uid }, 0),
  ]),
  answer(state, { rid: 0, op: "book", instId: "BTC-USDT", depth: 100 }, 0),
  answer(state, { rid: 0, op: "ticker", instId: "BTC-USDT" }, 0),
];

const balanceOf = (desk: Desk, uid: string, ccy: string): readonly [bigint, bigint] => {
  const { available, frozen } = desk.balance(uid, ccy);
  return [readDecimal(available) ?? -1n, readDecimal(frozen) ?? -1n];
};

test("whoever replays the same entries sees the same orders, balances and events", () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 80 }), (acts) => {
      const desk = play(acts);
      const [again, third] = [createState(INSTRUMENTS), createState(INSTRUMENTS)];
      const events = desk.entries.map((entry) => apply(again, JSON.parse(JSON.stringify(entry)) as typeof entry));
      expect(view(again)).toEqual(view(desk.state));
      expect(desk.entries.map((entry) => apply(third, entry))).toEqual(events);
    }),
    { numRuns: 150 },
  );
});

test("no money appears, vanishes or goes below zero, and exactly what resting orders need is set aside", () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 80 }), (acts) => {
      const desk = play(acts);
      for (const ccy of ["USDT", "BTC"]) {
        let total = 0n;
        for (const uid of UIDS) {
          const [available, frozen] = balanceOf(desk, uid, ccy);
          expect(available).toBeGreaterThanOrEqual(0n);
          total += available + frozen;
          const needed = (answer(desk.state, { rid: 0, op: "pending", uid, limit: 1_000 }, 0).orders ?? [])
            .filter(({ side }) => (side === "buy") === (ccy === "USDT"))
            .map((order) => {
              const rest = (readDecimal(order.sz) ?? 0n) - (readDecimal(order.accFillSz) ?? 0n);
              return ccy === "USDT" ? (rest * (readDecimal(order.px) ?? 0n)) / 10n ** 18n : rest;
            });
          expect(showDecimal(frozen)).toBe(showDecimal(needed.reduce((sum, one) => sum + one, 0n)));
        }
        expect(showDecimal(total)).toBe(ccy === "USDT" ? "3000000" : "3000");
      }
    }),
    { numRuns: 150 },
  );
});

test("the book never stays crossed", () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 80 }), (acts) => {
      const { bids, asks } = play(acts).book();
      const [bid, ask] = [readDecimal(bids[0]?.[0] ?? "0") ?? 0n, readDecimal(asks[0]?.[0] ?? "1000000") ?? 0n];
      expect(bid).toBeLessThan(ask);
    }),
    { numRuns: 150 },
  );
});

test("filled and cancelled orders are forgotten when there are too many, open ones never", () => {
  const state = createState(INSTRUMENTS, 2);
  const place = (clOrdId: string): Command => ({
    op: "place",
    uid: "1",
    instId: "BTC-USDT",
    side: "buy",
    ordType: "limit",
    tdMode: "cash",
    px: "100",
    sz: "1",
    clOrdId,
    tag: "",
  });
  const names = ["open", "a", "b", "c"];
  let seq = 0;
  const enter = (command: Command): void => void apply(state, { seq: (seq += 1), epoch: 1, at: 1, command });
  for (const name of names) enter(place(name));
  for (const name of names.slice(1)) enter({ op: "cancel", uid: "1", instId: "BTC-USDT", clOrdId: name });
  const codes = names.map(
    (clOrdId) => answer(state, { rid: 0, op: "order", uid: "1", instId: "BTC-USDT", clOrdId }, 0).code,
  );
  expect(codes).toEqual(["0", "51603", "0", "0"]);
});

test.each([
  ["0.1", "0.1"],
  ["60000.10", "60000.1"],
  ["007", "7"],
  ["0", "0"],
  ["99999999999999999999.000000000000000001", "99999999999999999999.000000000000000001"],
])("the decimal %s is kept exactly as %s", (text, shown) => {
  expect(showDecimal(readDecimal(text) ?? -1n)).toBe(shown);
});

test.each(["", "-1", "+1", "1e3", ".5", "1.", "0x10", " 1", "1,5", "NaN", "1.0000000000000000001", 5, undefined])(
  "%j is no decimal",
  (text) => {
    expect(readDecimal(text)).toBeUndefined();
  },
);
