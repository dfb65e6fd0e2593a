import { EXIT } from "../../errors/catalog.ts";
import { forecast } from "../../events/forecast.ts";
import { forecastText } from "../../view/forecast.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { load } from "../files/load.ts";
import { lookAtWorld } from "../run/look.ts";
import { risksSeen } from "../run/preflight.ts";
import { savedPlan } from "../run/saved-plan.ts";
import { writeOutput } from "../terminal/write-output.ts";

type Options = {
  readonly env?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly out?: string;
  readonly detailedExitcode?: boolean;
};

/** A dry run against the world as it is: it looks at everything that an upgrade would look at, and sends nothing. */
export async function plan(io: CliIo, [file = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  const loaded = await load(io, file, options);
  const [run, seen] = await Promise.all([lookAtWorld(io, loaded, options), risksSeen(io, loaded)]);
  const expected = forecast(run, loaded.planFingerprint);
  const told = { ...expected, risks: [...expected.risks, ...seen] };
  io.print(options.json === true ? JSON.stringify({ kind: "plan", ...told, graph: loaded.graph }) : forecastText(told));
  if (run.phase.kind === "ended" && run.phase.outcome === "refused") return EXIT.refused;
  if (options.out !== undefined) {
    await writeOutput(io, options.out, JSON.stringify(savedPlan(io, loaded, run), undefined, 2));
    io.say(`\nSaved the plan to ${options.out}. To carry out exactly this:\n  midflight upgrade ${options.out}`);
  }
  const isPending = !(run.phase.kind === "ended" && run.phase.outcome === "unchanged");
  return isPending && options.detailedExitcode === true ? EXIT.pending : EXIT.done;
}
