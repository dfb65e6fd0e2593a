import type { Credentials } from "../okx-client/sign.ts";
import type { LedgerOrder } from "./ledger.ts";
import type { Route } from "./route.ts";
import type { Habits } from "./schedule.ts";
import type { Session } from "./session.ts";

/** One user of the venue, with what he remembers. Mutable: it is the user's own memory. */
export type User = {
  readonly uid: string;
  readonly cohort: string;
  readonly habits: Habits;
  readonly who: Credentials;
  readonly route: Route;
  /** Only who trades over WebSocket has one. */
  readonly session: Session | undefined;
  timeoutsInRow: number;
  readonly leverage: {
    acknowledged: string | undefined;
    /** Values whose request had no definite answer since. */
    possible: string[];
    isBusy: boolean;
  };
};

/** Names an order for the venue: its own id wins over ours. */
export const nameOf = (
  order: LedgerOrder,
): { readonly instId: string; readonly ordId?: string; readonly clOrdId?: string } =>
  order.ordId === "" ? { instId: order.instId, clOrdId: order.clOrdId } : { instId: order.instId, ordId: order.ordId };
