import type { Command, Entry } from "./entry.ts";
import { cancel, tell } from "./match.ts";
import { isOpen, showOrder } from "./order.ts";
import type { EngineEvent } from "./protocol.ts";
import { refuse } from "./state.ts";
import type { EngineState, Outcome, Timer } from "./state.ts";

type Of<Op extends Command["op"]> = Extract<Command, { readonly op: Op }>;

/** Cancels an open order. */
export const cancelOrder = (state: EngineState, entry: Entry, command: Of<"cancel">): Outcome => {
  const market = state.markets.get(command.instId);
  if (market === undefined) return refuse("51001", "Instrument ID does not exist");
  const order = state.orders.find(command.uid, command.instId, command);
  if (order === undefined || !isOpen(order))
    return refuse("51400", "Cancellation failed as the order has been filled, canceled or does not exist");
  const turn = { state, market, entry, events: [] as EngineEvent[] };
  cancel(turn, order, "1");
  tell(turn, order, "cancel");
  return { code: "0", msg: "", order: showOrder(order), events: turn.events };
};

/** Sets, restarts or (with 0 seconds) switches off the dead-man switch of a user and tag. */
export const setTimer = (
  state: EngineState,
  entry: Entry,
  { uid, tag, timeOutSec }: Of<"cancel-all-after">,
): Outcome => {
  const key = keyOf({ uid, tag });
  if (timeOutSec === 0) {
    state.timers.delete(key);
    return { code: "0", msg: "", triggerTime: 0, events: [] };
  }
  const dueAt = entry.at + timeOutSec * 1_000;
  state.timers.set(key, { uid, tag, dueAt });
  return { code: "0", msg: "", triggerTime: dueAt, events: [] };
};

/** Cancels what a dead-man switch covers, if it is still set and due. */
export const fireTimer = (state: EngineState, entry: Entry, command: Of<"timer-due">): Outcome => {
  const timer = state.timers.get(keyOf(command));
  if (timer === undefined || timer.dueAt > entry.at) return refuse("0", "");
  state.timers.delete(keyOf(command));
  const events: EngineEvent[] = [];
  for (const order of state.orders.openOf(timer.uid)) {
    const market = state.markets.get(order.instId);
    if (market === undefined || (timer.tag !== "" && order.tag !== timer.tag)) continue;
    const turn = { state, market, entry, events };
    cancel(turn, order, "20");
    tell(turn, order, "cancel");
  }
  return { code: "0", msg: "", events };
};

/** The switches whose time is over at `now` (ms). */
export const dueTimers = (state: EngineState, now: number): readonly Timer[] =>
  [...state.timers.values()].filter(({ dueAt }) => dueAt <= now);

const keyOf = ({ uid, tag }: { readonly uid: string; readonly tag: string }): string => `${uid}/${tag}`;
