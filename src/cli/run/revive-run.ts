import { hostname } from "node:os";
import type { FactOf } from "../../engine/fact.ts";
import type { Run } from "../../engine/run.ts";
import type { HeldLease } from "../../ports/lease.ts";
import { isOver } from "../../runtime/conduct.ts";
import { heldWorld } from "../../runtime/held-world.ts";
import { refusedWorld } from "../../runtime/refused-world.ts";
import { replay } from "../../runtime/replay.ts";
import { clearAgain } from "./clear.ts";
import { accompany, type Companions } from "./companions.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { leaseKeys } from "./lease-keys.ts";
import { whatIsForbidden } from "./preflight.ts";
import { RECORDING } from "./start-run.ts";
import type { Loaded } from "../files/load.ts";
import { loadCopies } from "../files/load-copies.ts";
import type { OutputKind } from "../terminal/output.ts";
import type { Permit } from "./permit.ts";
import { exitOf, runSession } from "./session.ts";
import { holderOf, type State } from "./state.ts";
import { tellUnsent } from "./unsent.ts";
import { leaseKey, wireLease } from "../wiring/lease.ts";
import { wire } from "../wiring/wire.ts";
import { VERSION } from "../version.ts";

export type ReviveOrder = {
  readonly io: CliIo;
  readonly state: State;
  readonly run: string;
  readonly output: OutputKind;
  readonly permit: Permit;
  readonly ask?: { readonly what: "undo"; readonly by: string; readonly because?: string };
  /** Makes this conductor send nothing more, give its lease back, and reject with the reason. */
  readonly leave?: AbortSignal;
  /** Leaves a run alone that ended or halted meanwhile: a person must say that it goes on. */
  readonly isLeftWhenOver?: boolean;
};

/** Picks a run up again, from the copies that it kept: edited files change nothing. */
export async function reviveRun(order: ReviveOrder): Promise<{ readonly run: Run; readonly status: ExitStatus }> {
  const { io, state } = order;
  const { signal: never } = new AbortController();
  const leave = order.leave ?? never;
  const loaded = await loadCopies(state.store, order.run);
  const { world, secrets } = await wire(loaded, {
    env: io.env,
    cwd: loaded.given.cwd ?? io.cwd,
    stateDir: state.dir,
    clock: state.clock,
    run: order.run,
    record: state.store.pathOf(order.run, RECORDING),
  });
  const leases = await wireLease(loaded, state, io.env);
  const taken = await leases.acquire(leaseKeys(loaded), holderOf(order.run), leave, { isGoingOn: true });
  const lease: HeldLease = { ...taken, lost: AbortSignal.any([taken.lost, leave]) };
  let companions: Companions | undefined;
  try {
    const along = await accompany({ io, loaded, run: order.run, isNew: false });
    companions = along;
    const journal = await state.store.open(order.run);
    const run = replay(journal.records);
    if (order.isLeftWhenOver === true && isOver(run)) {
      await journal.close();
      // The one before may have died before it let them go.
      await along.leave(run);
      await lease.release();
      await tellUnsent({ io, state, run: order.run });
      return { run, status: exitOf(run) };
    }
    // Nobody may have asked yet for the rights of whoever conducts it now.
    const forbidden = run.phase.kind === "preparing" ? await whatIsForbidden(io, loaded) : undefined;
    const held = heldWorld(world, lease, (component) => leaseKey(loaded.environment.name, component));
    const clearance = await clearanceFor(order, loaded, run).catch(async (error: unknown) => {
      await journal.close();
      throw error;
    });
    const started: Omit<FactOf<"conductor-started">, "at"> = {
      kind: "conductor-started",
      epoch: lease.epoch,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      ...(lease.unheld === undefined ? {} : { unheld: lease.unheld.map(({ key, region }) => `${key} in ${region}`) }),
      ...(clearance === undefined ? {} : { clearance }),
    };
    const result = await runSession({
      io,
      world: forbidden === undefined ? held : refusedWorld(held, forbidden),
      custody: { store: state.store, journal, lease },
      start: { kind: "revived", run, started },
      output: order.output,
      secrets,
      onEvent: (event) => along.heed(event),
      ...(order.ask === undefined ? {} : { ask: order.ask }),
    });
    await along.leave(result.run);
    return result;
  } catch (error) {
    await companions?.leave(undefined);
    await lease.release();
    throw leave.aborted ? leave.reason : error;
  }
}

/** An undo never asks for a certificate. */
const clearanceFor = async ({ io, state, permit, ask }: ReviveOrder, loaded: Loaded, run: Run) =>
  ask === undefined ? clearAgain({ io, loaded, state, permit, run }) : undefined;
