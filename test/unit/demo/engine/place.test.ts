import { expect, test } from "vitest";
import { idOf, openDesk } from "./desk.ts";

test("an order id has 18 digits and grows, also over a takeover", () => {
  const desk = openDesk();
  const first = idOf(desk.place("1", "buy", "100", "1"));
  const second = idOf(desk.place("1", "buy", "100", "1"));
  expect(first).toMatch(/^\d{18}$/);
  expect(BigInt(second)).toBeGreaterThan(BigInt(first));
});

test("the better price trades first, and at one price the earlier order", () => {
  const desk = openDesk();
  const dear = idOf(desk.place("1", "sell", "102", "1"));
  const early = idOf(desk.place("2", "sell", "101", "1"));
  const late = idOf(desk.place("3", "sell", "101", "1"));
  const taker = desk.place("4", "buy", "102", "1.5");
  expect(taker.order).toMatchObject({ state: "filled", accFillSz: "1.5", avgPx: "101" });
  expect(desk.order("2", early).state).toBe("filled");
  expect(desk.order("3", late)).toMatchObject({ state: "partially_filled", accFillSz: "0.5" });
  expect(desk.order("1", dear).state).toBe("live");
});

test("the taker pays the maker's price, and what it set aside for its own comes back", () => {
  const desk = openDesk();
  desk.place("1", "sell", "100", "2");
  desk.place("2", "buy", "110", "2");
  expect(desk.balance("2", "USDT")).toEqual({ available: "999800", frozen: "0" });
  expect(desk.balance("2", "BTC").available).toBe("1002");
  expect(desk.balance("1", "USDT").available).toBe("1000200");
});

test.each([
  { ordType: "market", px: "", state: "canceled", cancelSource: "14", accFillSz: "1", resting: 0 },
  { ordType: "ioc", px: "100", state: "canceled", cancelSource: "14", accFillSz: "1", resting: 0 },
  { ordType: "fok", px: "100", state: "canceled", cancelSource: "13", accFillSz: "0", resting: 1 },
  { ordType: "post_only", px: "100", state: "canceled", cancelSource: "31", accFillSz: "0", resting: 1 },
  { ordType: "limit", px: "100", state: "partially_filled", cancelSource: "", accFillSz: "1", resting: 0 },
] as const)(
  "a $ordType buy of 2 that meets 1 ends as $state with $accFillSz filled",
  ({ ordType, px, state, cancelSource, accFillSz, resting }) => {
    const desk = openDesk();
    desk.place("1", "sell", "100", "1");
    expect(desk.place("2", "buy", px, "2", { ordType }).order).toMatchObject({ state, cancelSource, accFillSz });
    expect(desk.book().asks).toHaveLength(resting);
    const { frozen } = desk.balance("2", "USDT");
    expect(frozen).toBe(ordType === "limit" ? "100" : "0");
  },
);

test("a fill-or-kill order that meets enough over several prices is filled whole", () => {
  const desk = openDesk();
  desk.place("1", "sell", "100", "1");
  desk.place("1", "sell", "101", "1");
  expect(desk.place("2", "buy", "101", "2", { ordType: "fok" }).order).toMatchObject({
    state: "filled",
    avgPx: "100.5",
  });
});

test.each([
  { why: "more quote currency than there is", code: "51008", side: "buy", px: "1000001", sz: "1", more: {} },
  { why: "more base currency than there is", code: "51008", side: "sell", px: "1", sz: "1000.1", more: {} },
  { why: "no price", code: "51000", side: "buy", px: "", sz: "1", more: {} },
  { why: "a price between two ticks", code: "51000", side: "buy", px: "1.05", sz: "1", more: {} },
  { why: "a size below the lot", code: "51121", side: "buy", px: "1", sz: "0.000000001", more: {} },
  { why: "a negative size", code: "51000", side: "buy", px: "1", sz: "-1", more: {} },
  {
    why: "an instrument that is not there",
    code: "51001",
    side: "buy",
    px: "1",
    sz: "1",
    more: { instId: "DOGE-USDT" },
  },
  { why: "a time limit that is over", code: "50036", side: "buy", px: "1", sz: "1", more: { expTime: 999 } },
] as const)("an order with $why is refused with $code and changes nothing", ({ code, side, px, sz, more }) => {
  const desk = openDesk();
  const outcome = desk.place("1", side, px, sz, more);
  expect(outcome).toMatchObject({ code, events: [] });
  expect(outcome.order).toBeUndefined();
  expect(desk.book()).toMatchObject({ bids: [], asks: [] });
  expect(desk.balance("1", "USDT")).toEqual({ available: "1000000", frozen: "0" });
});

test("a market buy that the book makes too dear is refused before it trades at all", () => {
  const desk = openDesk();
  desk.place("1", "sell", "600000", "2");
  expect(desk.place("2", "buy", "", "2", { ordType: "market" }).code).toBe("51008");
});

test("a client order id is refused while its first order waits, and free again afterwards", () => {
  const desk = openDesk();
  const first = idOf(desk.place("1", "buy", "100", "1", { clOrdId: "mine" }));
  expect(desk.place("1", "buy", "100", "1", { clOrdId: "mine" }).code).toBe("51016");
  expect(desk.place("2", "buy", "100", "1", { clOrdId: "mine" }).code).toBe("0");
  desk.cancel("1", first);
  expect(desk.place("1", "buy", "100", "1", { clOrdId: "mine" }).code).toBe("0");
});

test("followers hear of both sides of a trade and of the trade itself", () => {
  const desk = openDesk();
  desk.place("1", "sell", "100", "1");
  const { events } = desk.place("2", "buy", "100", "1");
  expect(
    events.map((event) =>
      event.event === "trade" ? "trade" : `${event.reason} ${event.order.uid} ${event.order.state}`,
    ),
  ).toEqual(["place 2 live", "fill 2 filled", "fill 1 filled", "trade"]);
});
