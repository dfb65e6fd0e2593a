import type { ProbeFill } from "../../guard/probe-fill.ts";
import { OKX_V5 } from "../../guard/rules-okx.ts";
import type { Rules } from "../../guard/rules.ts";
import type { OkxProbe } from "../../plan/model.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import { startDeadMan } from "./dead-man.ts";
import { readMarket, type Market } from "./market.ts";
import { okxVenue } from "./okx-venue.ts";
import { careForOrders } from "./order-care.ts";
import { orderSockets } from "./order-sockets.ts";
import { probeChain, type ChainContext, type ProbeChain } from "./probe-chain.ts";
import type { ProbeSystem } from "./probe-system.ts";
import { rateLimits } from "./rate-limits.ts";

export type OkxProbesOptions = {
  readonly region: string;
  readonly probe: OkxProbe;
  readonly accounts: readonly ProbeAccount[];
  /** Public addresses of the other regions, for looking after orders when this one is gone. */
  readonly otherOrigins: readonly string[];
  readonly rules?: Rules;
  readonly deadlineMs: number;
  readonly prefix: string;
  readonly newId: () => string;
  /** Somebody traded with a probe order; told again whenever its state changes. */
  readonly onFill: (fill: ProbeFill) => void;
};

export const MARKET_MS = 5_000;

/** Orders of several accounts at a venue with the OKX V5 API, over REST and, where its address is known, over WebSocket. */
export const okxProbes = (options: OkxProbesOptions): ProbeSystem => {
  const { probe, accounts, prefix } = options;
  const origin = new URL(probe.rest).origin;
  const venue = okxVenue(probe.simulatedTrading);
  const origins = [origin, ...options.otherOrigins];
  const tag = prefix.slice(0, 16);
  let market: Market | undefined;
  let trouble = "the instrument is not known yet";
  let own: readonly ProbeChain[] = [];
  const rules = options.rules ?? OKX_V5;
  const care = careForOrders({ ...options, venue, origins, market: () => market, tag, rules });
  const { ws, simulatedTrading, instrument } = probe;
  const sockets =
    ws === undefined
      ? undefined
      : orderSockets({ ws, publicOrigin: origin, isSimulated: simulatedTrading, instrument, onOrder: care.onOrder });
  const context: ChainContext = {
    venue,
    publicOrigin: origin,
    market: () => market,
    ...(sockets === undefined ? {} : { sockets }),
    limits: rateLimits(),
    exposure: care.exposure,
    rules,
    onOrder: care.onOrder,
    abandon: care.abandon,
    deadlineMs: options.deadlineMs,
    tag,
    newId: options.newId,
    mayPlace: (account) => deadMan.covers(account),
  };
  const deadMan = startDeadMan({
    venue,
    origins,
    accounts,
    tag,
    rules,
    onLapse: (account) => own.find((chain) => chain.account === account)?.forget(),
  });
  let timer: NodeJS.Timeout | undefined;

  const readAgain = async (): Promise<void> => {
    const read = await readMarket(venue, origin, instrument);
    if (typeof read === "string") trouble = read;
    else market = read;
  };

  return {
    hasSockets: sockets !== undefined,
    chains: () => accounts.map((account, seat) => probeChain(account, context, seat)),
    async clean() {
      await readAgain();
      await care.clean();
    },
    start(chains) {
      own = chains;
      timer = setInterval(() => void readAgain(), MARKET_MS);
    },
    trouble() {
      if (market === undefined) return { why: trouble, isBarred: true };
      const why = deadMan.trouble() ?? care.exposure.trouble(market);
      return why === undefined ? undefined : { why, isBarred: false };
    },
    renew: () => venue.renew(),
    async stop() {
      clearInterval(timer);
      const left = await care.stop();
      sockets?.close();
      await deadMan.stop(left === 0);
      await venue.close();
    },
  };
};
