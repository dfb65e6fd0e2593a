import { randomUUID } from "node:crypto";
import { mayApprove } from "../../engine/clearance.ts";
import type { Run } from "../../engine/run.ts";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { ownNames } from "../files/keys.ts";
import { post } from "../run/mailbox.ts";
import { readRun } from "../run/read-run.ts";
import { findRun, login, openState } from "../run/state.ts";

type Options = { readonly state?: string; readonly by?: string; readonly refuse?: boolean };

export async function approve(io: CliIo, [id]: readonly string[], options: Options): Promise<ExitStatus> {
  const state = await openState(io, options.state);
  const name = await findRun(state, id);
  const { run } = await readRun(state.store, name);
  const move = run.graph.moves[run.next];
  if (run.phase.kind !== "moving" || move?.kind !== "approve") {
    throw new UpgradeError("USAGE", `run ${name} waits for no approval; it is ${run.phase.kind}`, {
      hint: "`midflight status` shows where it is",
    });
  }
  const by = options.by ?? login();
  if (options.refuse !== true) refuseSigner(run, [by, ...ownNames(io)]);
  await post(state.store, name, { id: randomUUID(), what: options.refuse === true ? "refuse" : "approve", by });
  io.print(options.refuse === true ? `refused by ${by}; the run is taken back` : `approved by ${by}`);
  return EXIT.done;
}

/** Whoever is logged in counts too, whatever name they give. */
function refuseSigner(run: Run, names: readonly string[]): void {
  const signer = names.find((name) => !mayApprove(run.clearance, name));
  if (signer === undefined) return;
  throw new UpgradeError(
    "APPROVER_SIGNED",
    `${signer} signed the certificate of ${run.id}, and its environment wants somebody else to approve`,
    { hint: "ask a colleague; to turn it back yourself: midflight approve --refuse" },
  );
}
