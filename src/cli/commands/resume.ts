import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { outputKind } from "../terminal/output.ts";
import { permitOf, type PermitOptions } from "../run/permit.ts";
import { reviveRun } from "../run/revive-run.ts";
import { readRun } from "../run/read-run.ts";
import { exitOf } from "../run/session.ts";
import { findRun, openState } from "../run/state.ts";
import { tellUnsent } from "../run/unsent.ts";

type Options = PermitOptions & { readonly state?: string; readonly json?: boolean; readonly output?: string };

export async function resume(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const permit = permitOf(options);
  const state = await openState(io, options.state);
  const name = await findRun(state, id, "resumable");
  const { run } = await readRun(state.store, name);
  if (run.phase.kind === "ended") {
    if ((await tellUnsent({ io, state, run: name })) > 0) return exitOf(run);
    throw new UpgradeError("RUN_OVER", `run ${name} has ended: ${run.phase.outcome}`, {
      hint: "start again with `midflight upgrade`, or take it back with `midflight rollback`",
    });
  }
  const { status } = await reviveRun({ io, state, run: name, output: outputKind(io, options), permit });
  return status;
}
