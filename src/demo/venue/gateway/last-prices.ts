import type { EngineEvent } from "../engine/protocol.ts";
import { askEngine } from "./engine-link.ts";
import type { EngineLink } from "./engine-link.ts";

/** The price of the last trade of each instrument, as the price bands need it. */
export type LastPrices = {
  /** `undefined` while there was no trade, or when the engine cannot be asked. */
  of(instId: string): Promise<string | undefined>;
  onEvent(event: EngineEvent): void;
};

/** Trades keep it fresh; it asks again after this time, in ms, so that a missed event cannot stay. */
const MAX_AGE_MS = 1_000;
/** An order waits no longer than this for the first price, in ms: without one there is no band. */
const PATIENCE_MS = 200;

type Known = { readonly px: string | undefined; readonly at: number };

/** Once a price is known nobody waits for a fresher one, so that an engine in takeover delays an order once, not twice. */
export const createLastPrices = (engine: EngineLink): LastPrices => {
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<void>>();
  const ask = async (instId: string): Promise<void> => {
    const asked = await askEngine(engine, { op: "ticker", instId }, PATIENCE_MS);
    asking.delete(instId);
    if (asked.kind !== "reply") return;
    const last = asked.reply.ticker?.last;
    known.set(instId, { px: last === "" ? undefined : last, at: performance.now() });
  };
  const refresh = (instId: string): Promise<void> => {
    const running = asking.get(instId) ?? ask(instId);
    asking.set(instId, running);
    return running;
  };
  return {
    async of(instId) {
      const last = known.get(instId);
      if (last === undefined) await refresh(instId);
      else if (performance.now() - last.at > MAX_AGE_MS) void refresh(instId);
      return known.get(instId)?.px;
    },
    onEvent(event) {
      if (event.event === "trade") known.set(event.instId, { px: event.px, at: performance.now() });
    },
  };
};
