import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Environment } from "../../plan/model.ts";
import type { Shelf } from "../../ports/shelf.ts";
import type { Lease } from "../../ports/lease.ts";
import type { RunStore } from "../../ports/journal.ts";
import type { LeasePlace } from "../../ports/turns.ts";
import { isOver } from "../../runtime/conduct.ts";
import type { CliIo } from "../io.ts";
import { readRun } from "./read-run.ts";
import { clusterNamed, stateDirOf } from "./state-dir.ts";

export type State = {
  /** A folder of this machine. */
  readonly dir: string;
  /** Where runs are kept, as `--state` takes it. */
  readonly where: string;
  readonly store: RunStore;
  readonly lease: Lease;
  /** The same leases, taken in further places besides. */
  leaseBesides(besides: (key: string) => readonly LeasePlace[]): Lease;
  readonly shelf: Shelf;
  readonly clock: Clock;
};

/** Where runs are kept when no environment is named: `--state`, or `.midflight` here. */
export async function openState(io: CliIo, option: string | undefined): Promise<State> {
  const cluster = option === undefined ? undefined : clusterNamed(option);
  const { clusterState, fileState } = await import("../wiring/state.ts");
  return cluster === undefined
    ? fileState(resolve(io.cwd, option ?? ".midflight"))
    : clusterState(cluster, resolve(io.cwd, ".midflight"));
}

/** Where the runs of an environment are kept: `--state`, or what the environment says. */
export async function stateOf(io: CliIo, environment: Environment, option: string | undefined): Promise<State> {
  const cluster = option === undefined ? environment.stateCluster : clusterNamed(option);
  const { clusterState, fileState } = await import("../wiring/state.ts");
  const dir = stateDirOf(io, environment, option);
  return cluster === undefined ? fileState(dir) : clusterState(cluster, dir);
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
    throw new UpgradeError("RUN_NOT_FOUND_HERE", `there is no run ${id} in ${state.where}`, {
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
    `there is no ${fits === "any" ? "" : "unfinished "}run in ${state.where}`,
    { hint: "`--state` names another folder" },
  );
}
