import { join } from "node:path";
import { UpgradeError } from "../errors/upgrade-error.ts";
import { startEnvironment } from "./environment.ts";
import { clearOwn } from "./own-folder.ts";
import { rehearseStory } from "./rehearsal.ts";
import type { Figures, RefusalStory } from "./stories/story.ts";
import type { Telling } from "./tell.ts";
import { createRandom } from "./traffic/random.ts";
import { temporaryFolder } from "./venue/temporary-folder.ts";
import { place, prepareWorkspace } from "./workspace.ts";

/** Tells how a plan is refused where it is rehearsed. Production stands beside it and is only looked at. */
export async function tellRefusal(story: RefusalStory, telling: Telling): Promise<Figures> {
  const dir = join(telling.dir, story.name);
  await clearOwn(dir);
  const luck = createRandom(`${telling.seed}/${story.name}`);
  const fault = story.draw(() => luck());
  await using stack = new AsyncDisposableStack();
  const { path: venueDir } = await temporaryFolder(stack);
  telling.say("starting production: PostgreSQL, two matching engines, two regions of a balancer and gateways");
  const workspace = await prepareWorkspace(telling.plans, dir, story, fault);
  const { venue } = await startEnvironment(
    {
      dir: venueDir,
      env: "production",
      keySeed: `demo-${telling.seed}`,
      ...(telling.portBase === undefined ? {} : { portBase: telling.portBase }),
      prepare: async (started) => {
        await place(workspace.environment, started, telling.instances);
        return workspace;
      },
      midflight: telling.midflight,
    },
    stack,
  );
  telling.signal.throwIfAborted();
  const { result, users } = await rehearseStory({ ...telling, workspace, production: venue });
  const problems = story.demands(result);
  if (problems.length > 0)
    throw new UpgradeError("STORY_FAILED", `${story.name} with seed ${telling.seed}: ${problems.join("; ")}`, {
      hint: `read ${result.report}`,
    });
  telling.say(story.sentence(result, fault));
  return {
    name: story.name,
    outcome: "refused",
    text: result.verdict,
    operations: users.operations,
    failed: 0,
    planted: users.planted,
    ambiguous: 0,
    failedByFault: 0,
    tripMs: null,
    lastFailureMs: null,
    undoMs: null,
    lost: 0,
    rowsLost: 0,
    latency: { beforeP99: null, duringP99: null },
    report: result.report,
    summary: users,
  };
}
