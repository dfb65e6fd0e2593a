import { OKX_V5 } from "../../guard/rules-okx.ts";
import type { Rules } from "../../guard/rules.ts";
import type { OkxProbe } from "../../plan/model.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import { startDeadMan } from "./dead-man.ts";
import { readMarket, type Market } from "./market.ts";
import { okxVenue } from "./okx-venue.ts";
import { openOrders } from "./open-orders.ts";
import { probeChain, type ChainContext, type ProbeChain } from "./probe-chain.ts";
import type { ProbeSystem } from "./probe-system.ts";
import { rateLimits } from "./rate-limits.ts";

export type OkxProbesOptions = {
  readonly probe: OkxProbe;
  readonly accounts: readonly ProbeAccount[];
  /** Public addresses of the other regions, for looking after orders when this one is gone. */
  readonly otherOrigins: readonly string[];
  readonly rules?: Rules;
  readonly deadlineMs: number;
  readonly prefix: string;
  readonly newId: () => string;
};

const MARKET_MS = 5_000;
const SWEEP_MS = 3_000;

/** Orders of several accounts at a venue with the OKX V5 API. */
export const okxProbes = (options: OkxProbesOptions): ProbeSystem => {
  const { probe, accounts, prefix } = options;
  const origin = new URL(probe.rest).origin;
  const venue = okxVenue(probe.simulatedTrading);
  const origins = [origin, ...options.otherOrigins];
  let market: Market | undefined;
  let trouble = "the instrument is not known yet";
  let own: readonly ProbeChain[] = [];
  const orders = openOrders({
    venue,
    origins,
    accounts,
    market: () => market,
    instrument: probe.instrument,
    prefix,
  });
  const context: ChainContext = {
    venue,
    publicOrigin: origin,
    market: () => market,
    limits: rateLimits(),
    rules: options.rules ?? OKX_V5,
    deadlineMs: options.deadlineMs,
    tag: prefix.slice(0, 16),
    newId: options.newId,
    abandon: (account, clOrdId) => orders.abandon(account, clOrdId),
    mayPlace: (account) => deadMan.covers(account),
  };
  const deadMan = startDeadMan({
    venue,
    origins,
    accounts,
    tag: prefix.slice(0, 16),
    onLapse: (account) => own.find((chain) => chain.account === account)?.forget(),
  });
  let timer: NodeJS.Timeout | undefined;

  const readAgain = async (): Promise<void> => {
    const read = await readMarket(venue, origin, probe.instrument);
    if (typeof read === "string") trouble = read;
    else market = read;
  };

  return {
    chains: () => accounts.map((account) => probeChain(account, context)),
    async clean() {
      await readAgain();
      await orders.sweep(SWEEP_MS);
    },
    start(chains) {
      own = chains;
      timer = setInterval(() => void readAgain(), MARKET_MS);
    },
    trouble() {
      if (market === undefined) return { why: trouble, isBarred: true };
      const why = deadMan.trouble();
      return why === undefined ? undefined : { why, isBarred: false };
    },
    async stop() {
      clearInterval(timer);
      const left = await orders.sweep(SWEEP_MS);
      orders.stop();
      await deadMan.stop(left === 0);
      await venue.close();
    },
  };
};
