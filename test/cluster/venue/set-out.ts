import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnyStory, Fault } from "../../../src/demo/stories/story.ts";
import { createRandom } from "../../../src/demo/traffic/random.ts";
import { prepareWorkspace, type Workspace } from "../../../src/demo/workspace.ts";

const PLANS = fileURLToPath(new URL("../../../plans", import.meta.url));

/** What a telling begins with: the seed's fault, and the shipped files with it in them, in a folder that the stack takes away. */
export async function setOut(
  story: AnyStory,
  seed: string,
  stack: AsyncDisposableStack,
): Promise<{ readonly fault: Fault; readonly dir: string; readonly workspace: Workspace }> {
  const luck = createRandom(`${seed}/${story.name}`);
  const fault = story.draw(() => luck());
  const dir = await mkdtemp(join(tmpdir(), "midflight cluster-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  return { fault, dir, workspace: await prepareWorkspace(PLANS, join(dir, "work"), story, fault) };
}
