import type { Market } from "./market.ts";

/** What probes of one region may stand to lose: how many of their orders rest, and what these and what was bought by accident are worth. */
export type Exposure = {
  /** An order that may rest from now on. */
  add(clOrdId: string, market: Market): void;
  /** It certainly rests no more, and bought nothing that is still held. */
  remove(clOrdId: string): void;
  /** Why no further order may be placed; undefined when one may. */
  trouble(market: Market): string | undefined;
};

type Most = { readonly orders: number; readonly notional: number };

/** Where the environment states none. `notional` is in the quote currency. */
export const DEFAULT_EXPOSURE: Most = { orders: 200, notional: 1_000 };

export const limitExposure = (stated: Partial<Most> = {}): Exposure => {
  const most = { ...DEFAULT_EXPOSURE, ...stated };
  const open = new Map<string, number>();
  let notional = 0;
  const drop = (clOrdId: string): void => {
    notional -= open.get(clOrdId) ?? 0;
    open.delete(clOrdId);
    // Sums of decimals drift.
    if (open.size === 0) notional = 0;
  };
  return {
    add(clOrdId, market) {
      drop(clOrdId);
      open.set(clOrdId, market.notional);
      notional += market.notional;
    },
    remove: drop,
    trouble(market) {
      const limit = `the environment allows ${most.orders} orders and ${most.notional} ${market.quote}`;
      if (market.notional > most.notional)
        return `one probe order for ${market.instId} is worth ${told(market.notional)} ${market.quote}, and ${limit}`;
      return open.size < most.orders && notional + market.notional <= most.notional
        ? undefined
        : `probe orders rest or are held: ${open.size}, worth ${told(notional)} ${market.quote}, and ${limit}`;
    },
  };
};

const told = (value: number): string => String(Number(value.toPrecision(4)));
