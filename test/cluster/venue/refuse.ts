import { startDemoUsers } from "../../../src/demo/environment.ts";
import type { Fault, RefusalStory } from "../../../src/demo/stories/story.ts";
import type { RehearseResult } from "../../../src/demo/surface.ts";
import type { VenueEnv } from "../../../src/demo/venue/accounts.ts";
import { VENUE_REGIONS } from "../../../src/demo/venue/ports.ts";
import { temporaryFolder } from "../../../src/demo/venue/temporary-folder.ts";
import type { Drill } from "../../../src/rehearsal/drill.ts";
import { midflight } from "../../support/cli.ts";
import { placeIn } from "./environment.ts";
import { setOut } from "./set-out.ts";
import { addressOf, venueOn, type ClusterVenue, type VenueGround } from "./venue.ts";

/** Gateways per region in both environments: the fewest that every shipped plan fits. */
const INSTANCES = 2;
const RATE_PER_SEC = 40;
const LIMIT_MS = 240_000;

export type Refused = {
  readonly status: number | null;
  readonly result: RehearseResult;
  /** What did not go as the story promises, a sentence each. */
  readonly problems: readonly string[];
};

/** Tells a story in which demo refuses a plan, with the gateways of demo and production in pods of one cluster. `look`: while both stand. */
export async function refuseOn(
  ground: VenueGround,
  story: RefusalStory,
  { seed, look }: { readonly seed: string; readonly look: () => Promise<void> },
): Promise<Refused> {
  await using stack = new AsyncDisposableStack();
  const { fault, dir, workspace } = await setOut(story, seed, stack);
  const bringUp = async (env: VenueEnv, shipped: string) => {
    const venue = await venueOn(ground, await orderFor(env, { seed, fault }, stack), stack);
    const file = await placeIn(shipped, { ...venue, env, images: ground.images, instances: INSTANCES });
    return { venue, file };
  };
  const production = await bringUp("production", workspace.environment);
  const demo = await bringUp("demo", workspace.demo);
  const users = await startDemoUsers(reachedBy(demo.venue), dir, RATE_PER_SEC);
  stack.defer(async () => void (await users.stop().catch(() => {})));
  const call = (...args: readonly string[]) =>
    midflight(args, {
      cwd: workspace.dir,
      env: { ...production.venue.variables, ...demo.venue.variables, FAULT: JSON.stringify(fault.gateway ?? {}) },
      limitMs: LIMIT_MS,
    });
  const keys = await call("keys", "new", "--out", "plans/keys");
  if (keys.status !== 0) throw new Error(`no keys were made: ${keys.stderr}`);
  const places = ["--env", demo.file, "--for", production.file];
  const ended = await call("rehearse", workspace.plan, ...places, "--key", "plans/keys/rehearsal.pem", "--json");
  await look();
  const result = resultOf(ended.stdout, ended.stderr);
  return { status: ended.status, result, problems: story.demands(result) };
}

async function orderFor(
  env: VenueEnv,
  { seed, fault }: { readonly seed: string; readonly fault: Fault },
  stack: AsyncDisposableStack,
) {
  const { path: dir } = await temporaryFolder(stack);
  const gateway = JSON.stringify(fault.gateway ?? {});
  return { env, dir, keySeed: `cluster-${seed}`, instances: INSTANCES, fault: gateway, noise: "" };
}

/** Users come by the Services, not by the balancers of this machine. */
const reachedBy = (venue: ClusterVenue): ClusterVenue["venue"] => ({
  ...venue.venue,
  regions: Object.fromEntries(VENUE_REGIONS.map((region) => [region, { ...addressOf(venue, region), admin: "" }])),
});

function resultOf(stdout: string, stderr: string): RehearseResult {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!last.startsWith("{")) throw new Error(`the rehearsal said nothing of its end: ${stderr}`);
  const { verdict, report, certificate, drills, startedAt, endedAt } = JSON.parse(last) as {
    readonly verdict: string;
    readonly report: string;
    readonly certificate?: string;
    readonly drills: readonly Drill[];
    readonly startedAt: number;
    readonly endedAt: number;
  };
  return {
    verdict,
    report,
    drills: drills.length,
    failed: drills.filter(({ outcome }) => outcome === "failed"),
    ms: endedAt - startedAt,
    ...(certificate === undefined ? {} : { certificate }),
  };
}
