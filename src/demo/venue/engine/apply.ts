import { amendOrder } from "./amend.ts";
import { cancelOrder, fireTimer, setTimer } from "./cancel.ts";
import type { Entry } from "./entry.ts";
import { placeOrder } from "./place.ts";
import type { EngineState, Outcome } from "./state.ts";

/**
 * Folds one entry of the log into the state. The same entries in the same order give the same state, ids and events,
 * in any process and at any time.
 */
export const apply = (state: EngineState, entry: Entry): Outcome => {
  const { command } = entry;
  switch (command.op) {
    case "place":
      return placeOrder(state, entry, command);
    case "amend":
      return amendOrder(state, entry, command);
    case "cancel":
      return cancelOrder(state, entry, command);
    case "cancel-all-after":
      return setTimer(state, entry, command);
    case "timer-due":
      return fireTimer(state, entry, command);
    case "epoch":
      return { code: "0", msg: "", events: [] };
  }
};
