import type { LedgerOrder, Values } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import type { Queries } from "./queries.ts";
import type { User } from "./user.ts";
import { isBorneOut } from "./verdict.ts";
import type { Finding } from "./verdict.ts";

/** `wrong`: the venue shows another state. `unseen`: it did not show the order in time. */
export type StateCheck = "shown" | "wrong" | "unseen";

/** Looks at the state of single orders. */
export type StateChecks = {
  /** Whether the order shows what was acknowledged: by the orders channel where the user has one, else by asking. */
  acknowledged(user: User, order: LedgerOrder, op: "amend" | "cancel", values: Values): Promise<StateCheck>;
  /** Asks for an order until the venue answers, or until the deadline. */
  lookUp(user: User, order: LedgerOrder): Promise<Finding>;
};

export const createStateChecks = (queries: Queries, ledger: Ledger, deadlineMs: number): StateChecks => {
  const ask = async (user: User, order: LedgerOrder, leftMs: number): Promise<Finding> => {
    const finding = await queries.order(user, order, Math.min(300, Math.max(50, leftMs)));
    if (finding.kind === "found") ledger.show(finding.order);
    return finding;
  };
  return {
    async acknowledged(user, order, op, values) {
      const until = performance.now() + deadlineMs;
      const isShown = (): boolean => order.seen !== undefined && isBorneOut(op, values, order.seen);
      let last: Finding = { kind: "no-answer" };
      // The push is usually there before the acknowledgement, or a few ms after it.
      for (const waitMs of user.session === undefined ? [] : PUSH_WAITS_MS) {
        if (isShown()) return "shown";
        await pause(waitMs);
      }
      for (const waitMs of ASK_WAITS_MS) {
        if (isShown()) return "shown";
        if (performance.now() >= until) break;
        last = await ask(user, order, until - performance.now());
        if (last.kind === "found" && isBorneOut(op, values, last.order)) return "shown";
        await pause(Math.min(waitMs, Math.max(0, until - performance.now())));
      }
      if (isShown()) return "shown";
      return last.kind === "no-answer" ? "unseen" : "wrong";
    },
    async lookUp(user, order) {
      const until = performance.now() + deadlineMs;
      for (const waitMs of ASK_WAITS_MS) {
        const finding = await ask(user, order, until - performance.now());
        if (finding.kind !== "no-answer" || performance.now() >= until) return finding;
        await pause(waitMs);
      }
      return { kind: "no-answer" };
    },
  };
};

const PUSH_WAITS_MS: readonly number[] = [5, 20, 75];
const ASK_WAITS_MS: readonly number[] = [20, 60, 120, 200, 250, 300, 300];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
