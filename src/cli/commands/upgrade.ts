import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { isSavedPlan, loadSaved } from "../run/saved-plan.ts";
import { withSoaksAtMost } from "../../graph/shorten-soaks.ts";
import { load, type Loaded } from "../files/load.ts";
import { durationOption } from "../duration-option.ts";
import { confirm } from "../terminal/confirm.ts";
import { outputKind, type OutputKind } from "../terminal/output.ts";
import { permitOf, type PermitOptions } from "../run/permit.ts";
import { refuseForbidden, risksSeen } from "../run/preflight.ts";
import { followRun } from "../run/follow-run.ts";
import { startInCluster, type ClusterOrder } from "../run/start-in-cluster.ts";
import { startRun } from "../run/start-run.ts";
import { stateOf } from "../run/state.ts";

type Options = PermitOptions & {
  readonly env?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly output?: string;
  readonly yes?: boolean;
  readonly input?: boolean;
  readonly inCluster?: boolean;
  readonly soaksAtMost?: string;
};

export async function upgrade(io: CliIo, [file = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  const permit = permitOf(options);
  const loaded = soakingAtMost(await loadedFrom(io, file, options), options);
  const state = await stateOf(io, loaded.environment, options.state);
  // A conductor in the cluster asks for its own. Everybody else is told what is missing before anything else is asked.
  if (options.inCluster !== true) await refuseForbidden(io, loaded);
  for (const risk of await risksSeen(io, loaded, "not asked")) io.say(`risk: ${risk}`);
  if (!(await isWanted(io, loaded, options))) return EXIT.refused;
  if (options.inCluster === true) return upgradeInCluster({ io, loaded, state, permit }, outputKind(io, options));
  if (state.where !== state.dir)
    io.say(
      `The run is kept in ${state.where}: give \`--state ${state.where}\` to status, approve, rollback and resume.`,
    );
  const output = outputKind(io, options);
  const { status } = await startRun({ io, cwd: io.cwd, loaded, state, output, permit, areRightsKnown: true });
  return status;
}

/** The conductor is a Job; here it is only looked at. */
async function upgradeInCluster(order: ClusterOrder, output: OutputKind): Promise<ExitStatus> {
  const { io, state, loaded } = order;
  const { run, conductor } = await startInCluster(order);
  const say = (trouble: string): void => io.say(trouble);
  // It hears Ctrl-C before anybody is told of it.
  const followed = followRun({ io, state, run, output, heed: (signal) => conductor.heed(run, say, signal) });
  io.say(`${run} is conducted in ${loaded.environment.inCluster?.context ?? ""}. Ctrl-C leaves it alone.`);
  return followed;
}

async function loadedFrom(io: CliIo, file: string, options: Options): Promise<Loaded> {
  if (await isSavedPlan(io, file)) return loadSaved(io, file, options);
  if (options.env === undefined)
    throw new UpgradeError("USAGE", "which environment to upgrade is not said", {
      hint: "name it: --env NAME, whose file lies beside the plan, or --env FILE",
    });
  return load(io, file, options);
}

/** What a demo is in a hurry for is no way to treat production. Throws `USAGE`. */
function soakingAtMost(loaded: Loaded, { soaksAtMost, inCluster }: Options): Loaded {
  if (soaksAtMost === undefined) return loaded;
  const mostMs = durationOption("--soaks-at-most", soaksAtMost);
  if (inCluster === true)
    throw new UpgradeError("USAGE", "--soaks-at-most is not for a conductor in the cluster", {
      hint: "leave one of them out",
    });
  if (loaded.environment.class !== "demo")
    throw new UpgradeError(
      "USAGE",
      `${loaded.environment.name} is of class ${loaded.environment.class}, where soaks last as long as the plan says`,
      { hint: "use --soaks-at-most in an environment of class demo, or change the plan" },
    );
  return { ...loaded, graph: withSoaksAtMost(loaded.graph, mostMs) };
}

/** A person at a terminal is asked once. A pipeline passes `--yes`, or has no terminal to ask at. */
async function isWanted(io: CliIo, loaded: Loaded, options: Options): Promise<boolean> {
  if (options.yes === true || !io.stdin.isTTY || !io.stdout.isTTY) return true;
  if (options.input === false)
    throw new UpgradeError("NOT_CONFIRMED", "an answer is needed, and --no-input forbids to ask", {
      hint: "pass --yes",
    });
  const { graph } = loaded;
  return confirm(
    io,
    `Upgrade ${graph.environment} (${graph.class}) by ${graph.plan}, ${graph.moves.length} moves${options.withoutCertificate === true ? ", WITHOUT A CERTIFICATE" : ""}?`,
  );
}
