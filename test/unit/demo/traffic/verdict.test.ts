import { expect, test } from "vitest";
import type { LedgerOrder, VenueOrder } from "../../../../src/demo/traffic/ledger.ts";
import { hasLanded, verdictOf } from "../../../../src/demo/traffic/verdict.ts";
import { mayBecome } from "../../../../src/demo/traffic/ledger.ts";
import type { Finding } from "../../../../src/demo/traffic/verdict.ts";

const resting: LedgerOrder = {
  uid: "1000",
  clOrdId: "c1",
  instId: "BTC-USDT",
  side: "buy",
  rests: true,
  ordId: "1",
  placed: "acknowledged",
  cancel: "none",
  values: { px: "59000.5", sz: "0.001" },
  possible: [],
  unsureAmends: [],
  seen: undefined,
  isBusy: false,
  isMissing: false,
};
const live: VenueOrder = {
  ordId: "1",
  clOrdId: "c1",
  instId: "BTC-USDT",
  state: "live",
  px: "59000.50",
  sz: "0.00100000",
  cancelSource: "",
  uTime: 1,
};
const found = (more: Partial<VenueOrder> = {}): Finding => ({ kind: "found", order: { ...live, ...more } });
const unknown: Finding = { kind: "unknown" };
const silence: Finding = { kind: "no-answer" };

const right = { kind: "right" };
const lost = (reason: string): object => ({ kind: "lost", reason });

test.each<{ name: string; order?: Partial<LedgerOrder>; finding: Finding; is: object }>([
  { name: "an acknowledged order that rests as it was acknowledged is right", finding: found(), is: right },
  { name: "one that was filled is right", finding: found({ state: "filled" }), is: right },
  { name: "one that the venue does not know is lost", finding: unknown, is: lost("missing") },
  {
    name: "one that was cancelled without its user is lost",
    finding: found({ state: "canceled", cancelSource: "0" }),
    is: lost("cancelled-by-nobody"),
  },
  {
    name: "a post-only order that would have taken is right",
    finding: found({ state: "canceled", cancelSource: "31" }),
    is: right,
  },
  {
    name: "an order that never rests may be cancelled",
    order: { rests: false },
    finding: found({ state: "canceled", cancelSource: "14" }),
    is: right,
  },
  { name: "a price that nobody asked for is lost", finding: found({ px: "58000" }), is: lost("values-wrong") },
  {
    name: "a value of an unsure amend is allowed",
    order: { possible: [{ px: "58000", sz: "0.001" }] },
    finding: found({ px: "58000" }),
    is: right,
  },
  {
    name: "an amend to less than has traded ends at what has traded",
    finding: found({ state: "filled", sz: "0.002" }),
    is: right,
  },
  {
    name: "a filled order that is smaller than acknowledged is lost",
    finding: found({ state: "filled", sz: "0.0005" }),
    is: lost("values-wrong"),
  },
  {
    name: "an acknowledged cancel that is live again is lost",
    order: { cancel: "acknowledged" },
    finding: found(),
    is: lost("cancel-undone"),
  },
  {
    name: "an acknowledged cancel of a filled order is right",
    order: { cancel: "acknowledged" },
    finding: found({ state: "filled" }),
    is: right,
  },
  {
    name: "an unsure cancel may have worked",
    order: { cancel: "unsure" },
    finding: found({ state: "canceled", cancelSource: "1" }),
    is: right,
  },
  { name: "an unsure cancel may not have worked", order: { cancel: "unsure" }, finding: found(), is: right },
  { name: "an unsure order may be missing", order: { placed: "unsure" }, finding: unknown, is: right },
  {
    name: "a refused order that lives is lost",
    order: { placed: "refused" },
    finding: found(),
    is: lost("refused-but-live"),
  },
  { name: "silence proves nothing", finding: silence, is: { kind: "unchecked" } },
])("$name", ({ order, finding, is }) => {
  expect(verdictOf({ ...resting, ...order }, finding)).toEqual(is);
});

test.each([
  {
    name: "an unsure order that the venue knows has landed",
    unsure: { op: "order", values: undefined },
    finding: found(),
    is: true,
  },
  {
    name: "one that it does not know has not",
    unsure: { op: "order", values: undefined },
    finding: unknown,
    is: false,
  },
  {
    name: "an amend whose values show has landed",
    unsure: { op: "amend", values: { px: "59000.5", sz: "0.001" } },
    finding: found(),
    is: true,
  },
  {
    name: "an amend whose values don't show has not",
    unsure: { op: "amend", values: { px: "1", sz: "0.001" } },
    finding: found(),
    is: false,
  },
  {
    name: "a cancel of a cancelled order has landed",
    unsure: { op: "cancel", values: undefined },
    finding: found({ state: "canceled" }),
    is: true,
  },
  { name: "silence leaves it open", unsure: { op: "cancel", values: undefined }, finding: silence, is: undefined },
] as const)("$name", ({ unsure, finding, is }) => {
  expect(hasLanded(unsure, finding)).toBe(is);
});

test("an amend without an answer may land after one that was acknowledged later", () => {
  const px = (value: string) => ({ changed: "px", values: { px: value, sz: "1" } }) as const;
  const sz = (value: string) => ({ changed: "sz", values: { px: "1", sz: value } }) as const;
  expect(mayBecome({ px: "5", sz: "1" }, [])).toEqual([]);
  expect(mayBecome({ px: "5", sz: "1" }, [px("4")])).toEqual([{ px: "4", sz: "1" }]);
  expect(mayBecome({ px: "5", sz: "1" }, [px("4"), sz("2")])).toEqual([
    { px: "4", sz: "1" },
    { px: "5", sz: "2" },
    { px: "4", sz: "2" },
  ]);
});
