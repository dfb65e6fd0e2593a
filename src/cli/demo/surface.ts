import { dirname, join } from "node:path";
import type { Estate, Midflight, UpgradeOrder, UpgradeResult } from "../../demo/surface.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { guardWithProgram } from "../../demo/venue/guardian.ts";
import { writeReport } from "../run/session.ts";
import { rehearseForDemo } from "./rehearsal.ts";
import { fileState } from "../wiring/state.ts";
import { loadFiles } from "../files/load.ts";
import type { CliIo } from "../io.ts";
import type { OutputKind } from "../terminal/output.ts";
import { startRun } from "../run/start-run.ts";
import { redactor } from "../../events/redact.ts";
import { sweepCommand } from "./sweep.ts";
import { wireEstate } from "../wiring/estate.ts";

/** What the demo uses of midflight, with this environment. */
export const midflightSurface = (io: CliIo, output: OutputKind): Midflight => ({
  upgrade: (order) => upgrade(io, output, order),
  rehearse: (order) => rehearseForDemo(io, output, order),
  bringUp: (order) => bringUp(io, order),
});

async function upgrade(io: CliIo, output: OutputKind, order: UpgradeOrder): Promise<UpgradeResult> {
  const cwd = dirname(dirname(order.plan));
  const loaded = await loadFiles(
    { ...io, cwd },
    { plan: order.plan, environment: order.environment, releases: order.releases },
  );
  const state = fileState(stateDirOf(order.environment));
  const { run, status, secrets } = await startRun({
    io,
    cwd,
    loaded,
    state,
    output,
    onEvent: order.onEvent,
    isQuiet: true,
    permit: order.because === undefined ? { kind: "certificate" } : { kind: "override", because: order.because },
  });
  const redact = redactor(secrets);
  const { phase } = run;
  return {
    status,
    run: run.id,
    outcome: phase.kind === "ended" ? phase.outcome : phase.kind,
    text: phase.kind === "ended" ? phase.text : phase.kind === "halted" ? phase.why : "",
    report: state.store.pathOf(run.id, "report.md"),
    rewriteReport: (asUsersSawIt) => writeReport(state.store, run.id, redact, asUsersSawIt),
  };
}

const stateDirOf = (environment: string): string => join(dirname(environment), ".midflight");

/**
 * Starts the release that a venue begins with, through the same driver that later replaces it. Its instances outlive a conductor on
 * purpose; those of a demo are ended all the same when the demo is gone, however it ends.
 */
async function bringUp(io: CliIo, order: Parameters<Midflight["bringUp"]>[0]): Promise<Estate> {
  const folder = dirname(order.environment);
  const loaded = await loadFiles(
    { ...io, cwd: dirname(folder) },
    { plan: join(folder, "good-upgrade.yaml"), environment: order.environment, releases: order.releases },
  );
  const release = loaded.releases.releases[order.release]?.process;
  if (release === undefined)
    throw new UpgradeError("VENUE_CONFIG", `${order.release} is not of the process driver`, {
      hint: "use the shipped plans",
    });
  const { estate, placed } = wireEstate(loaded, order.component, {
    env: io.env,
    stateDir: stateDirOf(order.environment),
  });
  const dismiss = guardWithProgram(sweepCommand(folder));
  const stop = async () => {
    await estate.stop();
    dismiss();
  };
  try {
    await estate.bringUp(Object.keys(placed.balancer), {
      release: order.release,
      digest: release.digest,
      count: placed.instances,
    });
    return { ...estate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
