import { needOf } from "./balances.ts";
import { readDecimal } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import { ordIdOf } from "./entry.ts";
import type { Command, Entry } from "./entry.ts";
import { cancel, offered, rest, setAside, tell, trade, wouldTake } from "./match.ts";
import type { Turn } from "./match.ts";
import { isOpen, remainingOf, showOrder } from "./order.ts";
import type { Order } from "./order.ts";
import { refuse } from "./state.ts";
import type { EngineState, Market, Outcome } from "./state.ts";

type Place = Extract<Command, { readonly op: "place" }>;

/** Places an order: refuses it, or trades it, or lets it rest, as its type wants. */
export const placeOrder = (state: EngineState, entry: Entry, command: Place): Outcome => {
  const market = state.markets.get(command.instId);
  if (market === undefined) return refuse("51001", "Instrument ID does not exist");
  if (isExpired(entry, command.expTime))
    return refuse("50036", "The expTime can't be earlier than the current system time");
  const sizes = readSizes(command, market);
  if ("code" in sizes) return sizes;
  const twin =
    command.clOrdId === "" ? undefined : state.orders.find(command.uid, command.instId, { clOrdId: command.clOrdId });
  if (twin !== undefined && isOpen(twin)) return refuse("51016", "Client order ID already exists");
  if (!canAfford(state, market, command, sizes)) return refuse("51008", "Order failed. Insufficient account balance");
  const order = createOrder(entry, command, sizes);
  const turn: Turn = { state, market, entry, events: [] };
  state.orders.add(order);
  setAside(turn, order, order.sz, "freeze");
  tell(turn, order, "place");
  settle(turn, order);
  return { code: "0", msg: "", order: showOrder(order), events: turn.events };
};

/** Whether the time limit that came with a request is over. */
export const isExpired = (entry: Entry, expTime: number | undefined): boolean =>
  expTime !== undefined && entry.at > expTime;

type Sizes = { readonly px: Decimal; readonly sz: Decimal };

const readSizes = ({ ordType, px, sz }: Place, { instrument }: Market): Sizes | Outcome => {
  const price = ordType === "market" ? 0n : readDecimal(px);
  if (price === undefined || (ordType !== "market" && price === 0n) || price % instrument.tickSz !== 0n)
    return refuse("51000", "Parameter px error");
  const size = readDecimal(sz);
  if (size === undefined || size === 0n) return refuse("51000", "Parameter sz error");
  if (size % instrument.lotSz !== 0n) return refuse("51121", "Order quantity must be a multiple of the lot size");
  return { px: price, sz: size };
};

// A market buy has no price of its own: it must afford what the book asks for.
const canAfford = (state: EngineState, market: Market, { uid, side, ordType }: Place, { px, sz }: Sizes): boolean => {
  const { ccy, amount } = needOf(market.instrument, side, px, sz);
  const needed = ordType === "market" && side === "buy" ? offered(market, side, 0n, sz).worth : amount;
  return state.balances.available(uid, ccy) >= needed;
};

const createOrder = (entry: Entry, command: Place, { px, sz }: Sizes): Order => ({
  ordId: ordIdOf(entry),
  clOrdId: command.clOrdId,
  uid: command.uid,
  instId: command.instId,
  side: command.side,
  ordType: command.ordType,
  tdMode: command.tdMode,
  tag: command.tag,
  cTime: entry.at,
  px,
  sz,
  filled: 0n,
  worth: 0n,
  lastFill: undefined,
  state: "live",
  cancelSource: "",
  uTime: entry.at,
});

/** OKX `cancelSource` of orders that their own type ends. */
const SOURCE = { fok: "13", ioc: "14", postOnly: "31" } as const;

const settle = (turn: Turn, order: Order): void => {
  switch (order.ordType) {
    case "post_only":
      return wouldTake(turn, order) ? end(turn, order, SOURCE.postOnly) : rest(turn, order);
    case "fok": {
      const isWhole = offered(turn.market, order.side, order.px, order.sz).sz === order.sz;
      return isWhole ? trade(turn, order) : end(turn, order, SOURCE.fok);
    }
    case "ioc":
    case "market":
      trade(turn, order);
      return remainingOf(order) === 0n ? undefined : end(turn, order, SOURCE.ioc);
    case "limit":
      trade(turn, order);
      return rest(turn, order);
  }
};

const end = (turn: Turn, order: Order, source: string): void => {
  cancel(turn, order, source);
  tell(turn, order, "cancel");
};
