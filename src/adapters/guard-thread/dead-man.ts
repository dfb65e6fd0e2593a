import { classify } from "../../guard/classify.ts";
import type { Rules } from "../../guard/rules.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import type { OkxVenue, VenueReply } from "./okx-venue.ts";

/** The venue's own switch: it cancels the probe orders when this thread is gone, also after SIGKILL. */
export type DeadMan = {
  /** Whether an order that is placed now would be cancelled without us. Also true where the venue has no such switch. */
  covers(account: ProbeAccount): boolean;
  /** Why no account is covered; undefined when one is. */
  trouble(): string | undefined;
  /** Stops renewing. `isClean`: nothing is open, so the switch is taken off; otherwise it is left to fire. */
  stop(isClean: boolean): Promise<void>;
};

export type DeadManOptions = {
  readonly venue: OkxVenue;
  readonly origins: readonly string[];
  readonly accounts: readonly ProbeAccount[];
  readonly tag: string;
  readonly rules: Rules;
  /** The switch of this account may have fired. */
  readonly onLapse: (account: ProbeAccount) => void;
};

export const TIMEOUT_SEC = 10;
export const RENEW_MS = 3_000;
/** The venue takes one a second from an account. */
const LOOK_MS = 1_100;
const CALL_MS = 1_000;
/** The venue's clock starts when the request arrives, ours when it is sent: a second to be safe. */
export const COVERED_MS = (TIMEOUT_SEC - 1) * 1_000;

export const startDeadMan = (options: DeadManOptions): DeadMan => {
  const { venue, origins, accounts, tag } = options;
  const renewed = new Map<string, number>();
  let hasSwitch = true;
  let lastRefusal = "it has not been set yet";
  const isCovered = ({ apiKey }: ProbeAccount): boolean =>
    !hasSwitch || performance.now() - (renewed.get(apiKey) ?? -Infinity) < COVERED_MS;

  const set = async (account: ProbeAccount, timeOut: number): Promise<boolean> => {
    for (const origin of origins) {
      const reply = await venue.call(
        origin,
        { method: "POST", target: "/api/v5/trade/cancel-all-after", body: { timeOut: String(timeOut), tag }, account },
        CALL_MS,
      );
      if (!("transport" in reply) && reply.code === "0") return true;
      lastRefusal = refusalOf(reply);
      if (isUnknownThere(reply, options.rules)) hasSwitch = false;
    }
    return false;
  };
  const renew = async (account: ProbeAccount): Promise<void> => {
    const at = performance.now();
    const last = renewed.get(account.apiKey);
    if (last !== undefined && at - last < RENEW_MS) return;
    if (last !== undefined && at - last > COVERED_MS) {
      renewed.delete(account.apiKey);
      options.onLapse(account);
    }
    if (hasSwitch && (await set(account, TIMEOUT_SEC))) renewed.set(account.apiKey, at);
  };
  const renewAll = (): void => void Promise.all(accounts.map(renew));
  renewAll();
  const timer = setInterval(renewAll, LOOK_MS);
  return {
    covers: isCovered,
    trouble: () =>
      accounts.some(isCovered)
        ? undefined
        : `no probe order is placed while the dead-man switch cannot be set (${lastRefusal})`,
    async stop(isClean) {
      clearInterval(timer);
      if (isClean)
        await Promise.all(accounts.filter(({ apiKey }) => renewed.has(apiKey)).map((account) => set(account, 0)));
    },
  };
};

const refusalOf = (reply: VenueReply): string =>
  "transport" in reply ? reply.transport : (reply.code ?? `HTTP ${reply.http}`);

/** The venue answers, and does not know the switch. */
const isUnknownThere = (reply: VenueReply, rules: Rules): boolean =>
  !("transport" in reply) &&
  (reply.http === 404 ||
    (reply.code !== undefined && classify(reply, rules).outcome === "business" && reply.http < 500));
