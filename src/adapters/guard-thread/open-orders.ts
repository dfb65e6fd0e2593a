import type { ProbeAccount } from "../../ports/watcher.ts";
import type { Market } from "./market.ts";
import type { OkxVenue, VenueReply } from "./okx-venue.ts";

/** Looks after orders that nobody follows any more: after an unclear outcome, after a crash, at the end. */
export type OpenOrders = {
  /** An order that may be open: it is cancelled as soon as the venue can be asked. */
  abandon(account: ProbeAccount, clOrdId: string): void;
  /** Cancels every open order of ours. Resolves with how many may be left. */
  sweep(deadlineMs: number): Promise<number>;
  stop(): void;
};

/** Whose orders, and where they are asked for. */
export type OurOrders = {
  readonly venue: OkxVenue;
  /** The region's own address first; the same orders are seen through the others. */
  readonly origins: readonly string[];
  readonly accounts: readonly ProbeAccount[];
  readonly market: () => Market | undefined;
  readonly instrument: string;
  /** Ids of our orders begin with it. */
  readonly prefix: string;
};

export type OpenOrdersOptions = OurOrders & {
  /** Whether it is known how an order ended that was cancelled: until then it is cancelled again. */
  readonly isOver: (account: ProbeAccount, clOrdId: string) => Promise<boolean>;
};

const RETRY_MS = 500;
const CALL_MS = 1_000;

export const openOrders = (options: OpenOrdersOptions): OpenOrders => {
  const { venue, origins, accounts } = options;
  const instId = options.instrument;
  const abandoned = new Map<string, ProbeAccount>();
  let isRunning = false;
  const post = (origin: string, account: ProbeAccount, clOrdId: string): Promise<VenueReply> =>
    venue.call(
      origin,
      { method: "POST", target: "/api/v5/trade/cancel-order", body: { instId, clOrdId }, account },
      CALL_MS,
    );

  /** Whether the order is certainly closed now. */
  const close = async (account: ProbeAccount, clOrdId: string): Promise<boolean> => {
    for (const origin of origins) {
      const reply = await post(origin, account, clOrdId);
      if ("transport" in reply) continue;
      if (reply.code === "0" || GONE.has(reply.code ?? "")) return true;
    }
    return false;
  };

  /** Whether it is closed, and what it bought until then is known. */
  const end = async (account: ProbeAccount, clOrdId: string): Promise<boolean> =>
    (await close(account, clOrdId)) && options.isOver(account, clOrdId);

  const retry = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    for (const [clOrdId, account] of abandoned) if (await end(account, clOrdId)) abandoned.delete(clOrdId);
    isRunning = false;
  };
  const timer = setInterval(() => void retry(), RETRY_MS);

  const pendingOf = async (account: ProbeAccount): Promise<readonly string[] | undefined> => {
    const target = `/api/v5/trade/orders-pending?instType=SPOT&instId=${encodeURIComponent(instId)}`;
    for (const origin of origins) {
      const reply = await venue.call(origin, { method: "GET", target, account }, CALL_MS);
      if ("transport" in reply || reply.code !== "0") continue;
      return reply.rows
        .map((row) => row["clOrdId"])
        .filter((id): id is string => typeof id === "string" && id.startsWith(options.prefix));
    }
    return undefined;
  };

  /** Orders of one account that may be left. */
  const sweepAccount = async (account: ProbeAccount, until: number): Promise<number> => {
    for (;;) {
      const pending = await pendingOf(account);
      if (pending?.length === 0) return 0;
      const isLate = performance.now() >= until;
      if (isLate) return pending?.length ?? 1;
      await Promise.all((pending ?? []).map((clOrdId) => end(account, clOrdId)));
      if (pending === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  return {
    abandon: (account, clOrdId) => void abandoned.set(clOrdId, account),
    async sweep(deadlineMs) {
      const until = performance.now() + deadlineMs;
      const left = await Promise.all(accounts.map((account) => sweepAccount(account, until)));
      const total = left.reduce((sum, count) => sum + count, 0);
      if (total > 0) return total;
      // Those that are gone by themselves may have bought something.
      await Promise.all([...abandoned].map(([clOrdId, account]) => options.isOver(account, clOrdId)));
      abandoned.clear();
      return total;
    },
    stop: () => clearInterval(timer),
  };
};

/** Filled, cancelled or unknown: nothing to cancel. */
const GONE: ReadonlySet<string> = new Set(["51400", "51503", "51603", "51401", "51402"]);
