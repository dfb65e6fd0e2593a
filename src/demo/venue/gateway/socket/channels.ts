import { textOf } from "../../fields.ts";
import type { Fields } from "../../fields.ts";

/** What a client subscribes to. Echoed in every push. */
export type Arg = {
  readonly channel: string;
  readonly instType?: string;
  readonly instId?: string;
  readonly ccy?: string;
};

/** `user`: only after login, and only the user's own. `instrument`: named by its `instId`. `venue`: one for all. */
export type ChannelKind = "user" | "instrument" | "venue";

const CHANNELS: Readonly<Record<string, ChannelKind>> = {
  orders: "user",
  account: "user",
  // Accepted so that clients that always subscribe to them work; a spot venue has nothing to push there.
  positions: "user",
  balance_and_position: "user",
  tickers: "instrument",
  books: "instrument",
  books5: "instrument",
  "bbo-tbt": "instrument",
  trades: "instrument",
  status: "venue",
};

export const channelKind = (channel: string): ChannelKind | undefined => CHANNELS[channel];

export const argOf = (fields: Fields): Arg => {
  const [instType, instId, ccy] = [textOf(fields, "instType"), textOf(fields, "instId"), textOf(fields, "ccy")];
  return {
    channel: textOf(fields, "channel"),
    ...(instType !== "" && { instType }),
    ...(instId !== "" && { instId }),
    ...(ccy !== "" && { ccy }),
  };
};

/** Two subscriptions with the same key are one. */
export const keyOf = (arg: Arg): string => [arg.channel, arg.instType, arg.instId, arg.ccy].join(" ");
