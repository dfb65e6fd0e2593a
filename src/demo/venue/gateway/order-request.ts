import type { OrderType, Side } from "../engine/protocol.ts";
import { msgOf } from "./codes.ts";
import { floorTo, formatDecimal, isMultiple, over, parseDecimal } from "./decimal.ts";
import type { Fields } from "../fields.ts";
import { textOf } from "../fields.ts";
import type { Instrument, Instruments } from "./metadata.ts";
import type { AmendOrder, OrderRef, PlaceOrder } from "./operations.ts";

/** A request that passed its checks, or the code and the text of its refusal. */
export type Checked<T> = { readonly kind: "good"; readonly value: T; readonly instrument: Instrument } | Refusal;
export type Refusal = { readonly kind: "refused"; readonly code: string; readonly msg: string };

/** What a request is checked against. */
export type Against = {
  readonly uid: string;
  readonly instruments: Instruments;
  /** The price of the last trade, for market orders that give their size in the quote currency. */
  readonly lastPx: (instId: string) => Promise<string | undefined>;
  readonly expTime?: number;
};

/** Checks an order as users send it. WebSocket clients name the instrument by `instIdCode`, REST clients by `instId`. */
export const checkPlace = async (fields: Fields, against: Against): Promise<Checked<PlaceOrder>> => {
  const instrument = instrumentOf(fields, against.instruments);
  if (instrument === undefined) return refuse("51001");
  if (instrument.state !== "live") return refuse("51001", "Instrument is not open for trading");
  const [side, ordType, tdMode] = [textOf(fields, "side"), textOf(fields, "ordType"), textOf(fields, "tdMode")];
  if (!isSide(side)) return wrong("side");
  if (!isOrderType(ordType)) return wrong("ordType");
  if (!TRADE_MODES.has(tdMode)) return wrong("tdMode");
  const [clOrdId, tag, px] = [textOf(fields, "clOrdId"), textOf(fields, "tag"), textOf(fields, "px")];
  if (!/^[A-Za-z0-9]{0,32}$/.test(clOrdId)) return wrong("clOrdId");
  if (!/^[A-Za-z0-9]{0,16}$/.test(tag)) return wrong("tag");
  const price = ordType === "market" ? undefined : checkPrice(px, instrument, "px");
  if (price?.kind === "refused") return price;
  const size = checkSize(await baseSize(fields, { side, ordType }, instrument, against), instrument, "sz");
  if (size.kind === "refused") return size;
  const order = {
    uid: against.uid,
    instId: instrument.instId,
    side,
    ordType,
    tdMode,
    px: price?.text ?? "",
    sz: size.text,
    clOrdId,
    tag,
  };
  return { kind: "good", value: { ...order, ...expiry(against) }, instrument };
};

/** Checks a change of an order: at least one of `newSz` and `newPx`. */
export const checkAmend = (fields: Fields, against: Against): Checked<AmendOrder> => {
  const named = checkCancel(fields, against);
  if (named.kind === "refused") return named;
  const { instrument } = named;
  const [newSz, newPx, reqId] = [textOf(fields, "newSz"), textOf(fields, "newPx"), textOf(fields, "reqId")];
  if (newSz === "" && newPx === "") return refuse("50015", msgOf("50015", "newSz", "newPx"));
  const size = newSz === "" ? undefined : checkSize(newSz, instrument, "newSz");
  if (size?.kind === "refused") return size;
  const price = newPx === "" ? undefined : checkPrice(newPx, instrument, "newPx");
  if (price?.kind === "refused") return price;
  const change = {
    ...named.value,
    ...(size && { newSz: size.text }),
    ...(price && { newPx: price.text }),
    ...(reqId !== "" && { reqId }),
    ...(String(fields["cxlOnFail"]) === "true" && { cxlOnFail: true }),
    ...expiry(against),
  };
  return { kind: "good", value: change, instrument };
};

/** Checks what names an order: its instrument, and `ordId` or `clOrdId`. */
export const checkCancel = (fields: Fields, against: Against): Checked<OrderRef> => {
  const instrument = instrumentOf(fields, against.instruments);
  if (instrument === undefined) return refuse("51001");
  const [ordId, clOrdId] = [textOf(fields, "ordId"), textOf(fields, "clOrdId")];
  if (ordId === "" && clOrdId === "") return refuse("50015", msgOf("50015", "ordId", "clOrdId"));
  const ref = { uid: against.uid, instId: instrument.instId, ...(ordId === "" ? { clOrdId } : { ordId }) };
  return { kind: "good", value: ref, instrument };
};

export const instrumentOf = (fields: Fields, instruments: Instruments): Instrument | undefined => {
  const [instId, code] = [textOf(fields, "instId"), textOf(fields, "instIdCode")];
  return instruments.find((instrument) =>
    instId === "" ? String(instrument.instIdCode) === code : instrument.instId === instId,
  );
};

export const refuse = (code: string, msg = msgOf(code)): Refusal => ({ kind: "refused", code, msg });

const wrong = (parameter: string): Refusal => refuse("51000", msgOf("51000", parameter));

const TRADE_MODES: ReadonlySet<string> = new Set(["cash", "cross", "isolated"]);
const isSide = (text: string): text is Side => text === "buy" || text === "sell";
const isOrderType = (text: string): text is OrderType => ["limit", "market", "post_only", "ioc", "fok"].includes(text);

const expiry = (against: Against): { readonly expTime?: number } =>
  against.expTime === undefined ? {} : { expTime: against.expTime };

type Read = { readonly kind: "read"; readonly text: string };

const checkPrice = (text: string, instrument: Instrument, name: string): Read | Refusal => {
  const [price, tick] = [parseDecimal(text), parseDecimal(instrument.tickSz)];
  if (price === undefined || tick === undefined || price === 0n || !isMultiple(price, tick)) return wrong(name);
  return { kind: "read", text: formatDecimal(price) };
};

const checkSize = (text: string, instrument: Instrument, name: string): Read | Refusal => {
  const size = parseDecimal(text);
  if (size === undefined || size === 0n) return wrong(name);
  if (size < (parseDecimal(instrument.minSz) ?? 0n)) return refuse("51020");
  if (!isMultiple(size, parseDecimal(instrument.lotSz) ?? 1n)) return refuse("51121");
  const most = parseDecimal(instrument.maxLmtSz);
  if (most !== undefined && size > most) return refuse("51203");
  return { kind: "read", text: formatDecimal(size) };
};

// OKX takes the size of a spot market buy in the quote currency unless `tgtCcy` says otherwise.
const baseSize = async (
  fields: Fields,
  order: { readonly side: Side; readonly ordType: OrderType },
  instrument: Instrument,
  against: Against,
): Promise<string> => {
  const sz = textOf(fields, "sz");
  const target = textOf(fields, "tgtCcy") || (order.side === "buy" ? "quote_ccy" : "base_ccy");
  if (order.ordType !== "market" || target === "base_ccy") return sz;
  const [funds, last] = [parseDecimal(sz), parseDecimal(await against.lastPx(instrument.instId))];
  if (funds === undefined || last === undefined || last === 0n) return "";
  return formatDecimal(floorTo(over(funds, last), parseDecimal(instrument.lotSz) ?? 1n));
};
