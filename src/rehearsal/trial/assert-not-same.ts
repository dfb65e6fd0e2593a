import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { StoreIdentity } from "../../ports/trials.ts";

/** A restored copy of production is a good place to rehearse. Its very server is not. Throws `TRIAL_REFUSED`. */
export function assertNotSame(demo: StoreIdentity, production: StoreIdentity): void {
  if (demo.system !== production.system || demo.startedAt !== production.startedAt) return;
  const what = demo.database === production.database ? "the very database" : "on the very server";
  throw new UpgradeError(
    "TRIAL_REFUSED",
    `the store of the rehearsal, ${demo.place}, is ${what} that production uses as ${production.place}: system ${demo.system}, started ${demo.startedAt}, databases ${demo.database} and ${production.database}`,
    { hint: "give the demo environment a server of its own; a restored copy of production's is fine" },
  );
}
