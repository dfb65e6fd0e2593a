import { join } from "node:path";
import { createInterface } from "node:readline";
import { Disaster } from "../../../src/demo/disaster.ts";
import { figuresOf } from "../../../src/demo/figures.ts";
import type { Figures, Story } from "../../../src/demo/stories/story.ts";
import type { TrafficSummary } from "../../../src/demo/traffic/report.ts";
import { startUsers, type Users } from "../../../src/demo/users.ts";
import { USER_UIDS } from "../../../src/demo/venue/accounts.ts";
import { temporaryFolder } from "../../../src/demo/venue/temporary-folder.ts";
import type { Workspace } from "../../../src/demo/workspace.ts";
import type { RunEvent } from "../../../src/events/event.ts";
import { OVERRIDE, start, type Ended } from "../../support/cli.ts";
import { until } from "../commands.ts";
import { placeIn } from "./environment.ts";
import { serversIn } from "./servers.ts";
import { setOut } from "./set-out.ts";
import { addressOf, venueOn, type ClusterVenue, type VenueGround } from "./venue.ts";

/** Gateways per region. Fewer than in the shipped environment files: each pod of a region costs the machine that also carries cluster, users and midflight. */
export const INSTANCES = 4;
/** Ordinary trading before and after the upgrade, in operations. */
const BEFORE = 400;
const AFTER = 200;
const LIMIT_MS = 480_000;

export type Told = {
  readonly figures: Figures;
  /** What did not go as the story promises, a sentence each. */
  readonly problems: readonly string[];
};

export type Telling = {
  readonly seed: string;
  readonly ratePerSec: number;
  /** Called when the upgrade is over and its pods still run. */
  readonly look: () => Promise<void>;
};

/** Tells one of the demo's stories with the gateways in pods: the same plan, users and demands, and another environment file. */
export async function tellOn(ground: VenueGround, story: Story, { seed, ratePerSec, look }: Telling): Promise<Told> {
  await using stack = new AsyncDisposableStack();
  const { fault, dir, workspace } = await setOut(story, seed, stack);
  const { path } = await temporaryFolder(stack);
  const order = {
    env: "production" as const,
    dir: path,
    keySeed: `cluster-${seed}`,
    instances: INSTANCES,
    fault: JSON.stringify(fault.gateway ?? {}),
    noise: JSON.stringify({ seed, share: 0.001 }),
  };
  const venue = await venueOn(ground, order, stack);
  const environment = await placeIn(workspace.environment, { ...order, ...venue, images: ground.images });
  const outcomes = join(dir, "outcomes.ndjson");
  const users = await startUsers(
    {
      regions: { tokyo: addressOf(venue, "tokyo"), frankfurt: addressOf(venue, "frankfurt") },
      keySeed: venue.keySeed,
      uids: [...USER_UIDS],
      ratePerSec,
      seed,
      outcomesFile: outcomes,
    },
    () => {},
  );
  let summary: TrafficSummary | undefined;
  stack.defer(async () => {
    if (summary === undefined) await users.stop().catch(() => undefined);
  });
  users.mark("before");
  await traded(users, BEFORE);
  users.mark("during");
  const servers = serversIn(ground, stack);
  const disaster = new Disaster(fault.death, venue.venue, servers, () => {});
  stack.defer(() => disaster.over());
  const { ended, events } = await upgrade({ ...workspace, environment }, venue, (event) => disaster.heed(event));
  users.mark("after");
  await traded(users, AFTER);
  summary = await users.stop();
  await look();
  const { outcome, text } = endOf(events);
  const figures = await figuresOf({
    story,
    outcome,
    text,
    events,
    summary,
    report: "",
    outcomes,
    struckAt: disaster.struckAt,
  });
  return { figures, problems: problemsOf(story, figures, ended) };
}

/** Resolves once users have done so many operations more. */
async function traded(users: Users, operations: number): Promise<void> {
  const before = users.last()?.ops ?? 0;
  await until("the users' trading", 60_000, async () => {
    const done = (users.last()?.ops ?? 0) - before;
    return done >= operations ? true : `${done} of ${operations} operations`;
  });
}

type Upgraded = { readonly ended: Ended; readonly events: readonly RunEvent[] };

async function upgrade(
  { dir, plan, environment }: Workspace,
  { variables }: ClusterVenue,
  heed: (event: RunEvent) => void,
): Promise<Upgraded> {
  const args = ["upgrade", plan, "--env", environment, "--json", "--yes", ...OVERRIDE];
  const running = start(args, { cwd: dir, env: variables, limitMs: LIMIT_MS });
  const events: RunEvent[] = [];
  createInterface({ input: running.child.stdout }).on("line", (line) => {
    const event = JSON.parse(line) as RunEvent;
    // What is no event, such as the first line with the version of the stream, has no time.
    if (typeof event.at !== "string" || event.kind === "pulse") return;
    events.push(event);
    heed(event);
  });
  return { ended: await running.ended, events };
}

function endOf(events: readonly RunEvent[]): { readonly outcome: string; readonly text: string } {
  const last = events.findLast(({ kind }) => kind === "ended" || kind === "halted");
  return { outcome: last?.kind === "ended" ? last.outcome : (last?.kind ?? "none"), text: last?.message ?? "" };
}

function problemsOf(story: Story, figures: Figures, { stderr }: Ended): readonly string[] {
  const { outcome, text, lost, summary } = figures;
  const problems = [
    ...(outcome === story.outcome
      ? []
      : [`ended ${outcome} and not ${story.outcome}: ${text} ${stderr.slice(-2_000)}`]),
    ...(lost === 0 ? [] : [`${lost} acknowledged orders are lost: ${JSON.stringify(summary.lostOrders)}`]),
    ...story.demands(figures),
  ];
  return problems.length === 0 ? [] : [...problems, `what failed: ${whatFailed(summary)}`];
}

const whatFailed = ({ failedByCode, byRelease, latency, scheduleLag, failed, ambiguous }: TrafficSummary): string =>
  JSON.stringify({ failed, ambiguous, failedByCode, byRelease, latency, scheduleLag });
