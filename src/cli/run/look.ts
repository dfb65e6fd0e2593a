import { begin } from "../../engine/begin.ts";
import { decide } from "../../engine/decide.ts";
import type { Run } from "../../engine/run.ts";
import { failureOf } from "../../runtime/failure.ts";
import { perform } from "../../runtime/perform.ts";
import { Sightings, type World } from "../../runtime/world.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { stateDirOf } from "./state-dir.ts";
import { fileState } from "../wiring/state.ts";
import { wire } from "../wiring/wire.ts";

/** A look may not take longer, whatever hangs. */
const DEADLINE_MS = 30_000;

/** Looks at everything that an upgrade would look at first, and sends nothing. The run is where an upgrade would then be. */
export async function lookAtWorld(io: CliIo, loaded: Loaded, options: { readonly state?: string }): Promise<Run> {
  const { dir, clock } = fileState(stateDirOf(io, loaded.environment, options.state));
  const { world } = await wire(loaded, { env: io.env, cwd: io.cwd, stateDir: dir, clock, run: "plan" });
  const opened = begin({
    kind: "opened",
    run: "plan",
    graph: loaded.graph,
    planFingerprint: loaded.planFingerprint,
    graphFingerprint: "",
    version: io.version,
    epoch: 0,
  });
  return look(world, opened.run);
}

/** Performs the looks of a run that was just opened, and folds their answers. Everything they ask for after that is left undone. */
async function look(world: World, opened: Run): Promise<Run> {
  const sightings = new Sightings();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const answers = await Promise.all(
    Object.values(opened.pending).map(async (effect) => {
      try {
        return {
          kind: "effect-done" as const,
          at: 0,
          id: effect.id,
          result: await perform(world, effect, { run: opened, fence: { epoch: 0, seq: 0 }, sightings, signal }),
        };
      } catch (error) {
        return {
          kind: "effect-failed" as const,
          at: 0,
          id: effect.id,
          failure: { ...failureOf(error), nature: "final" as const },
        };
      }
    }),
  );
  return answers.reduce((run, fact) => decide(run, fact).run, opened);
}
