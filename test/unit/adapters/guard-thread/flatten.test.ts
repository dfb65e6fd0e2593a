import { describe, expect, test } from "vitest";
import { flattener } from "../../../../src/adapters/guard-thread/flatten.ts";
import type { Market } from "../../../../src/adapters/guard-thread/market.ts";
import type { OkxVenue, VenueReply, VenueRequest } from "../../../../src/adapters/guard-thread/okx-venue.ts";
import type { ProbeFill } from "../../../../src/guard/probe-fill.ts";
import { OKX_V5 } from "../../../../src/guard/rules-okx.ts";
import { tableOf } from "../../../../src/guard/rules.ts";

const ACCOUNT = { apiKey: "k", secret: "s", passphrase: "p", cohort: "shard-1" };
const MARKET: Market = {
  instId: "BTC-USDT",
  instType: "SPOT",
  quote: "USDT",
  sz: "0.002",
  lotSz: "0.0001",
  px: () => "42000",
  sellPx: (than) => String(Math.max(54_000, than + 1)),
  notional: 84,
};
const FILLED = {
  clOrdId: "mf1",
  side: "buy",
  state: "filled",
  px: "42000",
  accFillSz: "0.002",
  fee: "0",
  feeCcy: "BTC",
};

type Sale = { readonly clOrdId: string; readonly sz: string; readonly px: string };
/** What the venue makes of a sale: how much it sells, and what it answers. */
type Act = (sale: Sale) => { readonly sold?: string; readonly reply: VenueReply };
const OK: VenueReply = { http: 200, code: "0", rows: [{ sCode: "0" }] };

/** A venue that keeps sales by id, and a seller on it that makes its attempts without waiting. */
const stage = (act: Act, rules = OKX_V5) => {
  const kept = new Map<string, string>();
  const sent: Sale[] = [];
  const told: ProbeFill[] = [];
  const parts: string[] = [];
  const call = (request: VenueRequest): VenueReply => {
    const id = new URLSearchParams(request.target.split("?")[1]).get("clOrdId");
    if (id !== null) {
      const sold = kept.get(id);
      return sold === undefined
        ? { http: 200, code: "51603", rows: [] }
        : { http: 200, code: "0", rows: [{ clOrdId: id, side: "sell", state: "canceled", accFillSz: sold }] };
    }
    const { clOrdId, sz, px } = request.body as Sale;
    sent.push({ clOrdId, sz, px });
    const { sold, reply } = act({ clOrdId, sz, px });
    if (sold !== undefined) kept.set(clOrdId, sold);
    return reply;
  };
  const venue: OkxVenue = {
    call: (_, request) => Promise.resolve(call(request)),
    renew: () => undefined,
    close: () => Promise.resolve(),
  };
  const done = Promise.withResolvers<ProbeFill>();
  const flat = flattener({
    venue,
    origins: ["http://venue"],
    accounts: [ACCOUNT],
    region: "tokyo",
    instrument: "BTC-USDT",
    market: () => MARKET,
    prefix: "mf",
    tag: "mf",
    rules,
    onPart: (_, clOrdId) => void parts.push(clOrdId),
    onFill(fill) {
      told.push(fill);
      if (fill.state !== "selling") done.resolve(fill);
    },
    attemptsMs: [0, 0, 0, 0],
  });
  return { flat, sent, told, parts, done: done.promise };
};
const sells: Act = ({ sz }) => ({ sold: sz, reply: OK });

describe("what a probe bought by accident", () => {
  test("is sold: exactly that, at an id that follows from the probe's, above its own price", async () => {
    const { flat, sent, done } = stage(sells);
    flat.see(ACCOUNT, FILLED);
    expect(await done).toMatchObject({ clOrdId: "mf1", size: "0.0020", sold: "0.0020", state: "sold" });
    expect(sent).toEqual([{ clOrdId: "mf1F", sz: "0.0020", px: "54000" }]);
  });

  test("is sold once, however often the venue tells of it", async () => {
    const { flat, sent, done } = stage(sells);
    flat.see(ACCOUNT, FILLED);
    flat.see(ACCOUNT, FILLED);
    await done;
    expect(await flat.check(ACCOUNT, "mf1")).toBe(true);
    flat.see(ACCOUNT, FILLED);
    await flat.stop(1_000);
    expect(sent).toHaveLength(1);
  });

  test("is not sold again when the answer to the sale was lost", async () => {
    const { flat, sent, done } = stage(({ sz }) => ({ sold: sz, reply: { transport: "timeout" } }));
    flat.see(ACCOUNT, FILLED);
    expect(await done).toMatchObject({ state: "sold" });
    expect(sent).toHaveLength(1);
  });

  test("is sold less the fee that was taken from it, in whole lots", async () => {
    const { flat, sent, done } = stage(sells);
    flat.see(ACCOUNT, { ...FILLED, fee: "-0.000002" });
    await done;
    expect(sent.map(({ sz }) => sz)).toEqual(["0.0019"]);
  });

  test("that a first attempt sells in part is sold by the next ones, each for the rest", async () => {
    const { flat, sent, done } = stage(({ clOrdId, sz }) => ({ sold: clOrdId === "mf1F" ? "0.0015" : sz, reply: OK }));
    flat.see(ACCOUNT, FILLED);
    expect(await done).toMatchObject({ state: "sold", sold: "0.0020" });
    expect(sent).toEqual([
      { clOrdId: "mf1F", sz: "0.0020", px: "54000" },
      { clOrdId: "mf1G", sz: "0.0005", px: "54000" },
    ]);
  });

  test("and nobody buys is told as kept after four attempts, with what is left", async () => {
    const { flat, sent, done } = stage(() => ({ sold: "0", reply: OK }));
    flat.see(ACCOUNT, FILLED);
    expect(await done).toMatchObject({ state: "kept", sold: "0.0000", why: "nobody bought it" });
    expect(sent.map(({ clOrdId }) => clOrdId)).toEqual(["mf1F", "mf1G", "mf1H", "mf1I"]);
  });

  test("and the venue refuses to sell is told with its code", async () => {
    const { flat, done } = stage(() => ({ reply: { http: 200, code: "51008", rows: [] } }));
    flat.see(ACCOUNT, FILLED);
    expect(await done).toMatchObject({ state: "kept", why: "refused with 51008" });
  });

  test("is sold again where rules of one's own call a refusal a limit that passes", async () => {
    const rules = {
      ...OKX_V5,
      name: "ours",
      codes: tableOf([
        ["51008", "rate"],
        ["0", "ok"],
      ]),
    };
    let refusals = 0;
    const { flat, sent, done } = stage(
      ({ sz }) => (refusals++ < 1 ? { reply: { http: 200, code: "51008", rows: [] } } : { sold: sz, reply: OK }),
      rules,
    );
    flat.see(ACCOUNT, FILLED);
    expect(await done).toMatchObject({ state: "sold" });
    expect(sent.map(({ clOrdId }) => clOrdId)).toEqual(["mf1F", "mf1F"]);
  });

  test("in part only waits until the rest of the order is cancelled", () => {
    const { flat, sent, told, parts } = stage(sells);
    flat.see(ACCOUNT, { ...FILLED, state: "partially_filled", accFillSz: "0.001" });
    expect([parts, told, sent]).toEqual([["mf1"], [], []]);
  });
});

test.each([
  { name: "an order of somebody else", row: { ...FILLED, clOrdId: "user1" } },
  { name: "a sale of ours", row: { ...FILLED, clOrdId: "mf1F", side: "sell" } },
  { name: "an order that nobody traded with", row: { ...FILLED, state: "canceled", accFillSz: "0" } },
])("$name is never sold", ({ row }) => {
  const { flat, told, parts } = stage(sells);
  flat.see(ACCOUNT, row);
  expect([told, parts]).toEqual([[], []]);
});
