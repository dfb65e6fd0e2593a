import { join } from "node:path";
import { UpgradeError } from "../errors/upgrade-error.ts";
import type { RunEvent } from "../events/event.ts";
import { asUsersSawIt } from "./as-users-saw-it.ts";
import { Disaster, serversOf } from "./disaster.ts";
import { startEnvironment } from "./environment.ts";
import { clearOwn } from "./own-folder.ts";
import { figuresOf } from "./figures.ts";
import type { Figures, Story } from "./stories/story.ts";
import type { Midflight } from "./surface.ts";
import type { TrafficReport } from "./traffic/report.ts";
import { createRandom } from "./traffic/random.ts";
import { rehearseStory } from "./rehearsal.ts";
import { startUsers } from "./users.ts";
import { USER_UIDS } from "./venue/accounts.ts";
import { temporaryFolder } from "./venue/temporary-folder.ts";
import { place, prepareWorkspace } from "./workspace.ts";

export type Telling = {
  readonly dir: string;
  /** Folder of the shipped plans. */
  readonly plans: string;
  readonly seed: string;
  readonly ratePerSec: number;
  readonly portBase?: number;
  /** False: no story is rehearsed; all are forced. */
  readonly isRehearsed?: boolean;
  /** Gateways per region; default 6. */
  readonly instances?: number;
  /** midflight with the venue's addresses and keys in its environment. */
  readonly midflight: (variables: Readonly<Record<string, string>>) => Midflight;
  readonly say: (text: string) => void;
  readonly onTraffic?: (report: TrafficReport) => void;
  readonly onEvent?: (event: RunEvent) => void;
  /** Aborts: stop everything that was started, then reject. */
  readonly signal: AbortSignal;
};

/** Ordinary trading before and after the upgrade, to compare with. */
const BEFORE_MS = 4_000;
const AFTER_MS = 2_000;

/** Tells one story on a venue of its own: brings it up, lets users trade, upgrades, strikes, and measures. Leaves nothing behind but the report. */
export async function tell(story: Story, telling: Telling): Promise<Figures> {
  const dir = join(telling.dir, story.name);
  // What an earlier telling left there would be taken for this one's.
  await clearOwn(dir);
  const luck = createRandom(`${telling.seed}/${story.name}`);
  const fault = story.draw(() => luck());
  await using stack = new AsyncDisposableStack();
  const { path: venueDir } = await temporaryFolder(stack);
  telling.say(
    `starting a venue: PostgreSQL, two matching engines, two regions of a balancer and ${telling.instances ?? 6} gateways`,
  );
  const workspace = await prepareWorkspace(telling.plans, dir, story, fault);
  const withFault = (variables: Readonly<Record<string, string>>) =>
    telling.midflight({
      ...variables,
      FAULT: JSON.stringify(fault.gateway ?? {}),
      GATEWAY_NOISE: JSON.stringify({ seed: telling.seed, share: 0.001 }),
    });
  const { venue, midflight, estate } = await startEnvironment(
    {
      dir: venueDir,
      env: "production",
      keySeed: `demo-${telling.seed}`,
      ...(telling.portBase === undefined ? {} : { portBase: telling.portBase }),
      prepare: async (started) => {
        await place(workspace.environment, started, telling.instances);
        return workspace;
      },
      midflight: withFault,
    },
    stack,
  );
  const because = story.because ?? (telling.isRehearsed === false ? UNREHEARSED : undefined);
  if (because === undefined) await certified({ ...telling, workspace, production: venue, midflight: withFault });
  telling.signal.throwIfAborted();
  const users = await startUsers(
    {
      regions: { tokyo: addressOf(venue.regions["tokyo"]), frankfurt: addressOf(venue.regions["frankfurt"]) },
      keySeed: venue.keySeed,
      uids: [...USER_UIDS],
      ratePerSec: telling.ratePerSec,
      seed: telling.seed,
      outcomesFile: join(dir, "outcomes.ndjson"),
    },
    (report) => telling.onTraffic?.(report),
  );
  const stopUsers = once(() => users.stop());
  stack.defer(async () => void (await stopUsers().catch(() => {})));
  users.mark("before");
  await pause(BEFORE_MS, telling.signal);
  users.mark("during");
  const events: RunEvent[] = [];
  const disaster = new Disaster(fault.death, venue, serversOf(estate), telling.say);
  stack.defer(() => disaster.over());
  const result = await midflight.upgrade({
    plan: workspace.plan,
    environment: workspace.environment,
    releases: workspace.releases,
    ...(because === undefined ? {} : { because }),
    onEvent: (event) => {
      if (event.kind !== "pulse") events.push(event);
      telling.onEvent?.(event);
      disaster.heed(event);
    },
  });
  users.mark("after");
  await pause(AFTER_MS, telling.signal);
  telling.say("comparing every order of the users with the venue's");
  const summary = await stopUsers();
  const figures = await figuresOf({
    story,
    outcome: result.outcome,
    text: result.text,
    events,
    summary,
    report: result.report,
    outcomes: join(dir, "outcomes.ndjson"),
    struckAt: disaster.struckAt,
  });
  const report = await result.rewriteReport(asUsersSawIt(figures, fault.text));
  const problems = [
    ...(result.outcome === story.outcome ? [] : [`ended ${result.outcome} and not ${story.outcome}: ${result.text}`]),
    ...(figures.lost === 0
      ? []
      : [
          `${figures.lost} acknowledged orders are lost (${summary.lostOrders.map((order) => `${order.clOrdId}: ${order.reason}, expected ${order.expected}, found ${order.found}`).join("; ")})`,
        ]),
    ...story.demands(figures),
  ];
  if (problems.length > 0)
    throw new UpgradeError("STORY_FAILED", `${story.name} with seed ${telling.seed}: ${problems.join("; ")}`, {
      hint: `read ${report}`,
    });
  telling.say(story.sentence(figures, fault));
  return { ...figures, report };
}

const UNREHEARSED = "this telling was asked to skip its rehearsal";

/** Rejects `STORY_FAILED` unless the rehearsal earned a certificate. */
async function certified(order: Parameters<typeof rehearseStory>[0]): Promise<void> {
  const { verdict, failed, drills, ms, report, certificate } = (await rehearseStory(order)).result;
  if (certificate === undefined)
    throw new UpgradeError(
      "STORY_FAILED",
      `the rehearsal earned no certificate: ${failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ") || verdict}`,
      { hint: `read ${report}` },
    );
  order.say(`rehearsed: ${drills} drills in ${Math.round(ms / 1000)} s; ${verdict}\n  ${report}\n  ${certificate}`);
}

const addressOf = (region: { readonly rest: string; readonly ws: string } | undefined) => ({
  rest: region?.rest ?? "",
  ws: region?.ws ?? "",
});

const once = <T>(act: () => Promise<T>): (() => Promise<T>) => {
  let running: Promise<T> | undefined;
  return () => (running ??= act());
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
