import { randomBytes } from "node:crypto";
import { graphFingerprint } from "../../graph/fingerprint.ts";
import type { RunEvent } from "../../events/event.ts";
import type { Opened } from "../../engine/fact.ts";
import type { Run } from "../../engine/run.ts";
import type { Conduct } from "../../runtime/conduct.ts";
import type { World } from "../../runtime/world.ts";
import { CERTIFICATE_COPY, clear, type Cleared } from "./clear.ts";
import { accompany, type Companions } from "./companions.ts";
import { refuseForbidden } from "./preflight.ts";
import { liveFacts } from "../facts/collect-facts.ts";
import { sha256 } from "../files/sha256.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import type { Given, Loaded } from "../files/load.ts";
import type { OutputKind } from "../terminal/output.ts";
import type { Permit } from "./permit.ts";
import { leaseKeys } from "./lease-keys.ts";
import { runSession } from "./session.ts";
import { holderOf, type State } from "./state.ts";
import { tellUnsentBefore } from "./unsent.ts";
import { wireLease } from "../wiring/lease.ts";
import { wire } from "../wiring/wire.ts";
import { VERSION } from "../version.ts";

export type StartOrder = {
  readonly io: CliIo;
  readonly cwd: string;
  readonly loaded: Loaded;
  readonly state: State;
  readonly output: OutputKind;
  /** What the command line says of certificates. */
  readonly permit: Permit;
  readonly onEvent?: (event: RunEvent) => void;
  /** The caller has asked for the rights, a moment ago. */
  readonly areRightsKnown?: boolean;
  /** Leaves the closing lines to the caller. */
  readonly isQuiet?: boolean;
  /** Told the run's conductor, to ask it something later. */
  readonly onConduct?: (conducted: Conduct) => void;
  /** What a rehearsal puts between the run and its world. */
  readonly through?: (world: World) => World;
};

/** Starts a new run: what lets it into production first, then the lease, then its folder with copies of everything it was given, then the first fact. */
export async function startRun(
  order: StartOrder,
): Promise<{ readonly run: Run; readonly status: ExitStatus; readonly secrets: readonly string[] }> {
  const { io, loaded, state, permit } = order;
  const cleared = await clear({ io, loaded, state, permit, facts: (one) => liveFacts(io, one, state.dir) });
  const run = newRunId(loaded, state.clock.now());
  const [{ world, secrets }, leases] = await Promise.all([
    wire(loaded, {
      env: io.env,
      cwd: order.cwd,
      stateDir: state.dir,
      clock: state.clock,
      run,
      record: state.store.pathOf(run, RECORDING),
    }),
    wireLease(loaded, state, io.env),
    order.areRightsKnown === true ? undefined : refuseForbidden(io, loaded),
  ]);
  const lease = await leases.acquire(leaseKeys(loaded), holderOf(run), new AbortController().signal);
  let companions: Companions | undefined;
  try {
    await tellUnsentBefore({ io, state }, leaseKeys(loaded));
    const along = await accompany({ io, loaded, run, isNew: true });
    companions = along;
    const journal = await state.store.create(run);
    await keepInputs(state, run, loaded, { given: { ...loaded.given, cwd: order.cwd }, cleared });
    const opened = openedBy(loaded, { run, epoch: lease.epoch, cleared });
    const result = await runSession({
      io,
      world: order.through?.(world) ?? world,
      custody: { store: state.store, journal, lease },
      start: { kind: "new", opened },
      output: order.output,
      secrets,
      onEvent: (event) => {
        along.heed(event);
        order.onEvent?.(event);
      },
      ...(order.onConduct === undefined ? {} : { onConduct: order.onConduct }),
      isQuiet: order.isQuiet === true,
    });
    await along.leave(result.run);
    return { ...result, secrets };
  } catch (error) {
    await companions?.leave(undefined);
    await lease.release();
    throw error;
  }
}

type Kept = { readonly given: Given; readonly cleared: Cleared | undefined };

/** Copies of everything that a run was given: edited files change nothing. `given`: where they are found when it is resumed. */
export async function keepInputs(
  { store }: Pick<State, "store">,
  run: string,
  loaded: Loaded,
  { given, cleared }: Kept,
): Promise<void> {
  for (const file of loaded.files) await store.putFile(run, `input/${file.name}`, file.text);
  await store.putFile(run, "input.json", `${JSON.stringify(given, undefined, 2)}\n`);
  if (cleared?.certificate !== undefined) await store.putFile(run, CERTIFICATE_COPY, cleared.certificate);
}

/** The first fact of a run. */
export const openedBy = (
  loaded: Loaded,
  { run, epoch, cleared }: { readonly run: string; readonly epoch: number; readonly cleared: Cleared | undefined },
): Opened => ({
  kind: "opened",
  run,
  graph: loaded.graph,
  planFingerprint: loaded.planFingerprint,
  graphFingerprint: graphFingerprint(loaded.graph, sha256),
  version: VERSION,
  epoch,
  ...(cleared === undefined ? {} : { clearance: cleared.clearance }),
});

/** What the guard was told, in a run's folder: `midflight guard --replay` judges it again. */
export const RECORDING = "guard.ndjson";

/** `order-gateway-2-20261121-051200-3f9a`: sorts by time within a plan, and is easy to say. */
export const newRunId = (loaded: Loaded, now: number): string => {
  const [day = "", time = ""] = new Date(now).toISOString().split("T");
  return `${loaded.plan.name}-${day.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${randomBytes(2).toString("hex")}`;
};
