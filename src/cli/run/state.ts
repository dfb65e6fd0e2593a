import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Shelf } from "../../ports/shelf.ts";
import type { Lease } from "../../ports/lease.ts";
import type { RunStore } from "../../ports/journal.ts";
import { isOver } from "../../runtime/conduct.ts";
import type { CliIo } from "../io.ts";
import { readRun } from "./read-run.ts";

export type State = {
  readonly dir: string;
  readonly store: RunStore;
  readonly lease: Lease;
  readonly shelf: Shelf;
  readonly clock: Clock;
};

/** Where runs are kept: `--state`, or what the environment says, or `.midflight` here. */
export async function openState(io: CliIo, dir: string | undefined): Promise<State> {
  const { fileState } = await import("../wiring/state.ts");
  return fileState(resolve(io.cwd, dir ?? ".midflight"));
}

export const holderOf = (run: string) => ({ run, host: hostname(), pid: process.pid });

export const login = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that no name belongs to.
    return `uid ${process.getuid?.() ?? "?"}`;
  }
};

/** The named run, or the newest one that fits. */
export async function findRun(
  state: State,
  id: string | undefined,
  fits: "any" | "resumable" = "any",
): Promise<string> {
  const runs = await state.store.list();
  if (id !== undefined) {
    if (runs.includes(id)) return id;
    throw new UpgradeError("RUN_NOT_FOUND_HERE", `there is no run ${id} in ${state.dir}`, {
      hint: "`midflight runs` lists them; `--state` names another folder",
    });
  }
  for (const run of runs) {
    if (fits === "any") return run;
    const { run: read } = await readRun(state.store, run);
    if (!isOver(read) || read.phase.kind === "halted") return run;
  }
  throw new UpgradeError(
    "RUN_NOT_FOUND_HERE",
    `there is no ${fits === "any" ? "" : "unfinished "}run in ${state.dir}`,
    { hint: "`--state` names another folder" },
  );
}
