import { expect, test } from "vitest";
import { answer } from "../../../../src/demo/venue/engine/answer.ts";
import { dueTimers } from "../../../../src/demo/venue/engine/cancel.ts";
import { idOf, openDesk } from "./desk.ts";
import type { Desk } from "./desk.ts";

/** Two buys at 100, "first" before "second". */
const queue = (): { readonly desk: Desk; readonly first: string; readonly second: string } => {
  const desk = openDesk();
  return { desk, first: idOf(desk.place("1", "buy", "100", "2")), second: idOf(desk.place("2", "buy", "100", "2")) };
};

test.each([
  { name: "a smaller size keeps its turn", change: { newSz: "1" }, filledFirst: "first" },
  { name: "a bigger size waits again", change: { newSz: "3" }, filledFirst: "second" },
  { name: "a better price goes ahead", change: { newPx: "101" }, filledFirst: "first" },
  {
    name: "a price changed and changed back waits again",
    change: { newPx: "99" },
    back: { newPx: "100" },
    filledFirst: "second",
  },
])("$name", ({ change, back, filledFirst }) => {
  const { desk, first, second } = queue();
  expect(desk.amend("1", first, change).code).toBe("0");
  if (back !== undefined) desk.amend("1", first, back);
  desk.place("3", "sell", "100", "0.5");
  const filled = desk.order("1", first).accFillSz === "0.5" ? "first" : "second";
  expect(filled).toBe(filledFirst);
  expect(desk.order("2", second).accFillSz).toBe(filledFirst === "second" ? "0.5" : "0");
});

test("a new size at or below what is filled ends the order as filled, and nothing stays set aside", () => {
  const { desk, first } = queue();
  desk.place("3", "sell", "100", "1.5");
  expect(desk.amend("1", first, { newSz: "1" }).order).toMatchObject({ state: "filled", accFillSz: "1.5", sz: "1.5" });
  expect(desk.balance("1", "USDT").frozen).toBe("0");
  expect(desk.book().bids).toEqual([["100", "2", 1]]);
});

test("an order whose new price meets the other side trades at once", () => {
  const { desk, first } = queue();
  desk.place("3", "sell", "105", "1");
  expect(desk.amend("1", first, { newPx: "105" }).order).toMatchObject({
    state: "partially_filled",
    accFillSz: "1",
    avgPx: "105",
  });
  expect(desk.balance("1", "USDT")).toEqual({ available: "999790", frozen: "105" });
});

test("a post-only order whose new price would take is cancelled instead", () => {
  const desk = openDesk();
  desk.place("2", "sell", "105", "1");
  const passive = idOf(desk.place("1", "buy", "100", "1", { ordType: "post_only" }));
  expect(desk.amend("1", passive, { newPx: "105" }).order).toMatchObject({
    state: "canceled",
    cancelSource: "31",
    accFillSz: "0",
  });
});

test("a change that the balance does not cover is refused and leaves the order, or cancels it if the user asked for that", () => {
  const { desk, first } = queue();
  expect(desk.amend("1", first, { newPx: "900000" })).toMatchObject({ code: "51008", events: [] });
  expect(desk.order("1", first)).toMatchObject({ state: "live", px: "100" });
  expect(desk.amend("1", first, { newPx: "900000", cxlOnFail: true }).code).toBe("51008");
  expect(desk.order("1", first).state).toBe("canceled");
  expect(desk.balance("1", "USDT")).toEqual({ available: "1000000", frozen: "0" });
});

test("the request id of a change comes back with the news of it", () => {
  const { desk, first } = queue();
  expect(desk.amend("1", first, { newSz: "1", reqId: "r1" }).events).toMatchObject([{ reason: "amend", reqId: "r1" }]);
});

test("nobody can change, cancel or see the order of another", () => {
  const { desk, first } = queue();
  expect(desk.amend("2", first, { newSz: "1" }).code).toBe("51503");
  expect(desk.cancel("2", first).code).toBe("51400");
  expect(answer(desk.state, { rid: 0, op: "order", uid: "2", instId: "BTC-USDT", ordId: first }, 0).code).toBe("51603");
});

test("a cancelled order gives everything back, and cannot be cancelled or changed again", () => {
  const { desk, first } = queue();
  expect(desk.cancel("1", first).order).toMatchObject({ state: "canceled", cancelSource: "1" });
  expect(desk.balance("1", "USDT")).toEqual({ available: "1000000", frozen: "0" });
  expect(desk.cancel("1", first).code).toBe("51400");
  expect(desk.amend("1", first, { newSz: "1" }).code).toBe("51503");
  expect(desk.book().bids).toEqual([["100", "2", 1]]);
});

test("a dead-man switch cancels its user's orders when it is due, and not before", () => {
  const { desk, first, second } = queue();
  const tagged = idOf(desk.place("1", "buy", "99", "1", { tag: "bot" }));
  expect(desk.enter({ op: "cancel-all-after", uid: "1", tag: "", timeOutSec: 10 }).triggerTime).toBe(11_000);
  expect(dueTimers(desk.state, 10_999)).toEqual([]);
  desk.now = 11_000;
  expect(dueTimers(desk.state, desk.now)).toMatchObject([{ uid: "1", tag: "" }]);
  desk.enter({ op: "timer-due", uid: "1", tag: "" });
  for (const ordId of [first, tagged])
    expect(desk.order("1", ordId)).toMatchObject({ state: "canceled", cancelSource: "20" });
  expect(desk.order("2", second).state).toBe("live");
  expect(dueTimers(desk.state, desk.now)).toEqual([]);
});

test("a dead-man switch for a tag leaves orders without it alone, and 0 seconds switch it off", () => {
  const { desk, first } = queue();
  const tagged = idOf(desk.place("1", "buy", "99", "1", { tag: "bot" }));
  desk.enter({ op: "cancel-all-after", uid: "1", tag: "bot", timeOutSec: 10 });
  desk.enter({ op: "cancel-all-after", uid: "1", tag: "", timeOutSec: 10 });
  desk.enter({ op: "cancel-all-after", uid: "1", tag: "", timeOutSec: 0 });
  desk.now = 20_000;
  for (const { uid, tag } of dueTimers(desk.state, desk.now)) desk.enter({ op: "timer-due", uid, tag });
  expect(desk.order("1", tagged).state).toBe("canceled");
  expect(desk.order("1", first).state).toBe("live");
});

test("a switch that was beaten in time does not fire for the entry that came too early", () => {
  const { desk, first } = queue();
  desk.enter({ op: "cancel-all-after", uid: "1", tag: "", timeOutSec: 10 });
  desk.now = 11_000;
  desk.enter({ op: "cancel-all-after", uid: "1", tag: "", timeOutSec: 10 });
  desk.enter({ op: "timer-due", uid: "1", tag: "" });
  expect(desk.order("1", first).state).toBe("live");
});

test("pending orders come newest first, and a ticker has a price before the first trade", () => {
  const { desk, first } = queue();
  const later = idOf(desk.place("1", "buy", "98", "1"));
  expect(
    answer(desk.state, { rid: 0, op: "pending", uid: "1", limit: 100 }, 0).orders?.map(({ ordId }) => ordId),
  ).toEqual([later, first]);
  expect(answer(desk.state, { rid: 0, op: "ticker", instId: "ETH-USDT" }, 7).ticker).toEqual({
    last: "3000",
    lastSz: "0",
    vol24h: "0",
    ts: 7,
  });
  expect(answer(desk.state, { rid: 0, op: "ticker", instId: "NO-NE" }, 7).code).toBe("51001");
});
