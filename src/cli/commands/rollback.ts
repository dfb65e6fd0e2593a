import { randomUUID } from "node:crypto";
import { undoPlan } from "../../engine/undo-items.ts";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { post } from "../run/mailbox.ts";
import { outputKind } from "../terminal/output.ts";
import { reviveRun } from "../run/revive-run.ts";
import { readRun } from "../run/read-run.ts";
import { findRun, login, openState, type State } from "../run/state.ts";
import type { Run } from "../../engine/run.ts";

type Options = {
  readonly state?: string;
  readonly json?: boolean;
  readonly output?: string;
  readonly because?: string;
};

export async function rollback(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  const name = await findRun(state, id);
  const { run } = await readRun(state.store, name);
  refuseWhatCannot(run);
  const by = login();
  const because = options.because === undefined ? {} : { because: options.because };
  if (await isConducted(state, run)) {
    await post(state.store, name, { id: randomUUID(), what: "undo", by, ...because });
    io.print(`asked the conductor of ${name} to take everything back; follow it with: midflight status ${name}`);
    return EXIT.done;
  }
  const { status } = await reviveRun({
    io,
    state,
    run: name,
    output: outputKind(io, options),
    permit: { kind: "certificate" },
    ask: { what: "undo", by, ...because },
  });
  return status;
}

function refuseWhatCannot(run: Run): void {
  const { phase } = run;
  if (phase.kind !== "ended") return;
  if (phase.outcome !== "promoted" && phase.outcome !== "stranded") {
    throw new UpgradeError("RUN_OVER", `run ${run.id} has ended ${phase.outcome}; there is nothing left to take back`, {
      hint: "`midflight report` tells what it did",
    });
  }
  const { beyond } = undoPlan(run);
  if (beyond === undefined) return;
  throw new UpgradeError("PAST_NO_RETURN", `run ${run.id} is past ${beyond.move}, which cannot be taken back`, {
    hint:
      beyond.backup === undefined
        ? "go forward with a new plan"
        : `go forward with a new plan, or use the backup plan ${beyond.backup} by hand`,
  });
}

const isConducted = async (state: State, run: Run): Promise<boolean> => {
  const [component = ""] = Object.keys(run.graph.components);
  return (await state.lease.holder(`${run.graph.environment}/${component}`))?.run === run.id;
};
