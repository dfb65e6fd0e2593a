import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { isOver } from "../../runtime/conduct.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { readRun } from "../run/read-run.ts";
import { reviveRun } from "../run/revive-run.ts";
import { findRun, openState } from "../run/state.ts";
import { tellUnsent } from "../run/unsent.ts";
import { outputKind } from "../terminal/output.ts";

type Options = { readonly state?: string; readonly json?: boolean; readonly output?: string };

const LOOK_AGAIN_MS = 1_000;

/**
 * What a Job of Kubernetes runs: goes on with a run, and exits with 0 as soon as starting it again would do nothing more, however the run
 * ended or halted. Any failure is a reason to be started again. One that is told to leave gives its lease back and leaves at once: the run
 * goes on in the next one. One that comes while another conductor holds the run waits for it.
 */
export async function conductRun(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const leave = new AbortController();
  const unhear = io.onSignal((signal) => leave.abort(left(signal)));
  try {
    const state = await openState(io, options.state);
    const name = await findRun(state, id);
    for (let said = ""; ; await state.clock.sleep(LOOK_AGAIN_MS, leave.signal)) {
      try {
        if (isOver((await readRun(state.store, name)).run)) {
          await tellUnsent({ io, state, run: name }).catch(leaveToHolder);
          return EXIT.done;
        }
        await reviveRun({
          io: { ...io, onSignal: () => () => undefined },
          state,
          run: name,
          output: outputKind(io, options),
          permit: { kind: "certificate" },
          leave: leave.signal,
          isLeftWhenOver: true,
        });
        return EXIT.done;
      } catch (error) {
        if (!(error instanceof UpgradeError) || error.code !== "LEASE_HELD") throw error;
        if (said !== error.message) io.say(`waiting: ${error.message}`);
        said = error.message;
      }
    }
  } finally {
    unhear();
  }
}

/** Another run has these components by now; it was told at its start what this one owed. */
function leaveToHolder(error: unknown): void {
  if (!(error instanceof UpgradeError) || error.code !== "LEASE_HELD") throw error;
}

// Not 0: Kubernetes would take the work for done.
const left = (signal: string): UpgradeError =>
  new UpgradeError(
    "CONDUCTOR_LEFT",
    `this conductor was told to leave (${signal}); the run stands where its journal says`,
    {
      hint: "wait for Kubernetes to start the next one, and look at the run with `midflight attach`",
    },
  );
