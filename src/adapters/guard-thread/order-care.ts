import type { ProbeFill } from "../../guard/probe-fill.ts";
import type { Rules } from "../../guard/rules.ts";
import type { OkxProbe } from "../../plan/model.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import { limitExposure, type Exposure } from "./exposure.ts";
import { flattener } from "./flatten.ts";
import { openOrders, type OurOrders } from "./open-orders.ts";

/** What keeps probe orders harmless on a real book: a limit before they are placed, cancelling whatever may rest, and selling what one bought. */
export type OrderCare = {
  readonly exposure: Exposure;
  /** What the venue tells of an order: somebody may have traded with it. */
  readonly onOrder: (account: ProbeAccount, row: Readonly<Record<string, unknown>>) => void;
  /** An order that may be open and that nobody follows any more. */
  readonly abandon: (account: ProbeAccount, clOrdId: string) => void;
  /** Cancels leftovers of an earlier process, and sells what they bought. */
  clean(): Promise<void>;
  /** Cancels everything, and lets a sale end that has begun. Resolves with how many orders may be left. */
  stop(): Promise<number>;
};

export type OrderCareOptions = Omit<OurOrders, "instrument"> & {
  readonly region: string;
  readonly probe: OkxProbe;
  readonly tag: string;
  readonly rules: Rules;
  readonly onFill: (fill: ProbeFill) => void;
};

export const SWEEP_MS = 3_000;
/** How long a sale that has begun is waited for at the end. */
export const SALES_MS = 1_500;

export const careForOrders = (options: OrderCareOptions): OrderCare => {
  const { market } = options;
  const exposure = limitExposure(options.probe.exposure);
  const common = { ...options, instrument: options.probe.instrument };
  const flat = flattener({
    ...common,
    onPart: (account, clOrdId) => orders.abandon(account, clOrdId),
    onFill(fill, isHeld) {
      const known = market();
      if (isHeld && known !== undefined) exposure.add(heldAs(fill.clOrdId), known);
      else exposure.remove(heldAs(fill.clOrdId));
      options.onFill(fill);
    },
  });
  const orders = openOrders({
    ...common,
    async isOver(account, clOrdId) {
      const isKnown = await flat.check(account, clOrdId);
      if (isKnown) exposure.remove(clOrdId);
      return isKnown;
    },
  });
  return {
    exposure,
    onOrder: flat.see,
    abandon: (account, clOrdId) => orders.abandon(account, clOrdId),
    async clean() {
      await orders.sweep(SWEEP_MS);
      await flat.recall();
    },
    async stop() {
      const left = await orders.sweep(SWEEP_MS);
      orders.stop();
      await flat.stop(SALES_MS);
      return left;
    },
  };
};

/** What a probe bought counts until it is sold, besides its order. */
const heldAs = (clOrdId: string): string => `${clOrdId} held`;
