import type { ProbeAccount } from "../../ports/watcher.ts";
import type { OkxVenue } from "./okx-venue.ts";

/** The venue's own switch: it cancels the probe orders when this thread is gone, also after SIGKILL. */
export type DeadMan = {
  /** Stops renewing. `isClean`: nothing is open, so the switch is taken off; otherwise it is left to fire. */
  stop(isClean: boolean): Promise<void>;
};

const TIMEOUT_SEC = 10;
const RENEW_MS = 3_000;
const CALL_MS = 1_000;

export const startDeadMan = (options: { readonly venue: OkxVenue; readonly origins: readonly string[]; readonly accounts: readonly ProbeAccount[]; readonly tag: string; /** The switch of this account may have fired. */ readonly onLapse: (account: ProbeAccount) => void }): DeadMan => {
  const { venue, origins, accounts, tag } = options;
  const renewed = new Map<string, number>();
  const set = async (account: ProbeAccount, timeOut: number): Promise<boolean> => {
    for (const origin of origins) {
      const reply = await venue.call(origin, { method: "POST", target: "/api/v5/trade/cancel-all-after", body: { timeOut: String(timeOut), tag }, account }, CALL_MS);
      if (!("transport" in reply) && reply.code === "0") return true;
    }
    return false;
  };
  const renew = async (account: ProbeAccount): Promise<void> => {
    const at = performance.now();
    const last = renewed.get(account.apiKey);
    if (last !== undefined && at - last > (TIMEOUT_SEC - 1) * 1000) options.onLapse(account);
    if (await set(account, TIMEOUT_SEC)) renewed.set(account.apiKey, at);
  };
  const renewAll = (): void => void Promise.all(accounts.map(renew));
  renewAll();
  const timer = setInterval(renewAll, RENEW_MS);
  return {
    async stop(isClean) {
      clearInterval(timer);
      if (isClean) await Promise.all(accounts.filter(({ apiKey }) => renewed.has(apiKey)).map((account) => set(account, 0)));
    },
  };
};
