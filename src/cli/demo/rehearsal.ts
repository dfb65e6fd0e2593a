import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RehearseOrder, RehearseResult } from "../../demo/surface.ts";
import { verdictOf } from "../../rehearsal/report/text.ts";
import { keys } from "../commands/keys.ts";
import { rehearsalChecks } from "../rehearsal/checks.ts";
import { rehearsalProgress } from "../rehearsal/progress.ts";
import type { CliIo } from "../io.ts";
import { signingKey } from "../files/keys.ts";
import { loadFiles } from "../files/load.ts";
import type { OutputKind } from "../terminal/output.ts";
import { rehearsePlan } from "../rehearsal/rehearse-plan.ts";
import { reportOf } from "../rehearsal/files.ts";
import { stateDirOf } from "../run/state-dir.ts";
import { fileState } from "../wiring/state.ts";

/** Where the demo's production environment looks for the key that it trusts, beside its file. */
const KEYS = "keys";

/** Rehearses as a user would: a key of one's own, and then the command's own function. */
export async function rehearseForDemo(io: CliIo, output: OutputKind, order: RehearseOrder): Promise<RehearseResult> {
  const folder = dirname(order.production);
  const here: CliIo = { ...io, cwd: dirname(folder) };
  const out = join(folder, KEYS);
  if (!existsSync(join(out, "rehearsal.pem"))) await keys({ ...here, print: () => {} }, ["new"], { out });
  const files = { plan: order.plan, releases: order.releases };
  const demo = await loadFiles(here, { ...files, environment: order.demo });
  const production = await loadFiles(here, { ...files, environment: order.production });
  const state = fileState(stateDirOf(here, demo.environment, undefined));
  const { rehearsal, id, certificate } = await rehearsePlan({
    io: here,
    demo,
    production,
    state,
    checks: rehearsalChecks({ io: here, demo, production, state, say: () => {} }),
    isQuick: false,
    isResumed: false,
    key: await signingKey(here, join(out, "rehearsal.pem")),
    progress: rehearsalProgress(io, output === "json"),
    signal: order.signal,
  });
  return {
    verdict: verdictOf(rehearsal),
    failed: rehearsal.drills.filter(({ outcome }) => outcome === "failed"),
    drills: rehearsal.drills.length,
    ms: rehearsal.endedAt - rehearsal.startedAt,
    report: state.shelf.pathOf(reportOf(id, "report.html")),
    ...(certificate === undefined ? {} : { certificate }),
  };
}
