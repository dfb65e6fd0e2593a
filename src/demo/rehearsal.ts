import { startDemoUsers, startEnvironment } from "./environment.ts";
import type { Midflight, RehearseResult } from "./surface.ts";
import { temporaryFolder } from "./venue/temporary-folder.ts";
import type { TrafficSummary } from "./traffic/report.ts";
import type { Venue } from "./venue/venue.ts";
import { place, type Workspace } from "./workspace.ts";

/** Gateways per region in the demo environment: the fewest that every shipped plan fits. */
const INSTANCES = 2;
/** User operations per second in the demo environment. */
const RATE_PER_SEC = 60;

/** Brings the demo environment up beside production, with users of its own, rehearses there, and takes it down again. */
export async function rehearseStory(order: {
  readonly workspace: Workspace;
  readonly production: Venue;
  readonly midflight: (variables: Readonly<Record<string, string>>) => Midflight;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}): Promise<{ readonly result: RehearseResult; readonly users: TrafficSummary }> {
  const { workspace, production } = order;
  await using stack = new AsyncDisposableStack();
  const { path: dir } = await temporaryFolder(stack);
  order.say(`starting the demo environment, with ${INSTANCES} gateways in each region, to rehearse in`);
  const { venue, midflight } = await startEnvironment(
    {
      dir,
      env: "demo",
      keySeed: production.keySeed,
      prepare: async (started) => {
        await place(workspace.demo, started, INSTANCES);
        return { environment: workspace.demo, releases: workspace.releases };
      },
      midflight: (variables) => order.midflight({ ...production.variables, ...variables }),
    },
    stack,
  );
  const users = await startDemoUsers(venue, dir, RATE_PER_SEC);
  let isStopped = false;
  stack.defer(async () => void (isStopped || (await users.stop().catch(() => {}))));
  const result = await midflight.rehearse({
    plan: workspace.plan,
    demo: workspace.demo,
    production: workspace.environment,
    releases: workspace.releases,
    signal: order.signal,
  });
  isStopped = true;
  return { result, users: await users.stop() };
}
