import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { LeaseHolder } from "../../ports/lease.ts";

/** `LEASE_HELD`, with everything that a person needs to find the holder. */
export const leaseHeld = (key: string, holder: LeaseHolder): UpgradeError =>
  new UpgradeError(
    "LEASE_HELD",
    `${key} is held by run ${holder.run} since ${new Date(holder.since).toISOString()} (host ${holder.host}, pid ${holder.pid})`,
    {
      hint: `wait for it to end, or look at it with \`midflight status ${holder.run}\``,
    },
  );
