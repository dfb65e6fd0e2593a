import { join } from "node:path";
import type { Estate, Midflight } from "./surface.ts";
import { startUsers, type Users } from "./users.ts";
import { USER_UIDS } from "./venue/accounts.ts";
import { startVenue, type Venue, type VenueOptions } from "./venue/venue.ts";

/** One environment with its gateways in place. */
export type RunningEnvironment = { readonly venue: Venue; readonly midflight: Midflight; readonly estate: Estate };

export type EnvironmentOrder = VenueOptions & {
  /** Writes the venue's ports into the files; resolves with those that the gateways are started by. */
  readonly prepare: (venue: Venue) => Promise<{ readonly environment: string; readonly releases: string }>;
  /** midflight with the venue's addresses and keys in its environment. */
  readonly midflight: (variables: Readonly<Record<string, string>>) => Midflight;
};

/** Starts store, engines, balancers and the gateways of release 1.0. What was started is put on the stack, also when something else can't. */
export async function startEnvironment(
  order: EnvironmentOrder,
  stack: AsyncDisposableStack,
): Promise<RunningEnvironment> {
  const venue = await startVenue(order);
  stack.defer(() => venue.stop());
  const { environment, releases } = await order.prepare(venue);
  const midflight = order.midflight(venue.variables);
  const estate = await midflight.bringUp({ environment, component: "gateway", release: "gateway@1.0", releases });
  stack.defer(() => estate.stop());
  return { venue, midflight, estate };
}

/** Traffic of the demo environment: a fifth of production's, so that a rehearsal is walked under users. */
export const startDemoUsers = (venue: Venue, dir: string, ratePerSec: number): Promise<Users> =>
  startUsers(
    {
      regions: Object.fromEntries(
        Object.entries(venue.regions).map(([region, { rest, ws }]) => [region, { rest, ws }]),
      ) as Record<"tokyo" | "frankfurt", { rest: string; ws: string }>,
      keySeed: venue.keySeed,
      venueEnv: venue.env,
      uids: USER_UIDS.slice(0, 60),
      ratePerSec,
      seed: "demo",
      outcomesFile: join(dir, "demo-outcomes.ndjson"),
    },
    () => {},
  );
