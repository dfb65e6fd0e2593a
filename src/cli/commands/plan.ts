import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { begin } from "../../engine/begin.ts";
import { decide } from "../../engine/decide.ts";
import type { Run } from "../../engine/run.ts";
import { EXIT } from "../../errors/catalog.ts";
import { failureOf } from "../../runtime/failure.ts";
import { perform } from "../../runtime/perform.ts";
import { Sightings, type World } from "../../runtime/world.ts";
import { forecast } from "../../events/forecast.ts";
import { forecastText } from "../../view/forecast.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { load } from "../load.ts";
import { savedPlan } from "../saved-plan.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { stateDirOf } from "../state-dir.ts";
import { wire } from "../wiring.ts";

type Options = { readonly env?: string; readonly releases?: string; readonly state?: string; readonly json?: boolean; readonly out?: string; readonly detailedExitcode?: boolean };

/** A dry run against the world as it is: it looks at everything that an upgrade would look at, and sends nothing. */
export async function plan(io: CliIo, [file = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  const loaded = await load(io, file, options);
  const { world } = await wire(loaded, { env: io.env, cwd: io.cwd, stateDir: stateDirOf(io, loaded.environment, options.state), clock: systemClock, run: "plan" });
  const run = await look(world, begin({ kind: "opened", run: "plan", graph: loaded.graph, planFingerprint: loaded.planFingerprint, graphFingerprint: "", version: io.version, epoch: 0 }).run);
  const told = forecast(run, loaded.planFingerprint);
  io.print(options.json === true ? JSON.stringify({ kind: "plan", ...told, graph: loaded.graph }) : forecastText(told));
  if (options.out !== undefined) {
    const path = resolve(io.cwd, options.out);
    await writeFile(path, `${JSON.stringify(savedPlan(io, loaded, run), undefined, 2)}\n`);
    io.say(`\nSaved the plan to ${options.out}. To carry out exactly this:\n  midflight upgrade ${options.out}`);
  }
  if (run.phase.kind === "ended" && run.phase.outcome === "refused") return EXIT.refused;
  const isPending = !(run.phase.kind === "ended" && run.phase.outcome === "unchanged");
  return isPending && options.detailedExitcode === true ? EXIT.pending : EXIT.done;
}

/** Performs the looks of a run that was just opened, and folds their answers. Everything they ask for after that is left undone. */
export async function look(world: World, opened: Run): Promise<Run> {
  const sightings = new Sightings();
  const signal = AbortSignal.timeout(30_000);
  const answers = await Promise.all(
    Object.values(opened.pending).map(async (effect) => {
      try {
        return { kind: "effect-done" as const, at: 0, id: effect.id, result: await perform(world, effect, { run: opened, fence: { epoch: 0, seq: 0 }, sightings, signal }) };
      } catch (error) {
        return { kind: "effect-failed" as const, at: 0, id: effect.id, failure: { ...failureOf(error), nature: "final" as const } };
      }
    }),
  );
  return answers.reduce((run, fact) => decide(run, fact).run, opened);
}
