import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { RunEvent } from "../../events/event.ts";
import { workloadOf } from "../../graph/graph.ts";
import { allowsOf } from "../../rehearsal/allows-of.ts";
import { rehearse, type Check, type RehearsalParts } from "../../rehearsal/rehearse.ts";
import { certifiedFiles, certify } from "../../rehearsal/certificate/certify.ts";
import { seal } from "../../rehearsal/certificate/envelope.ts";
import type { SigningKey } from "../../rehearsal/certificate/key.ts";
import type { FactsOfNow } from "../../rehearsal/certificate/objections.ts";
import { countStatementsOf } from "../wiring/statements.ts";
import { awaitsSoak, isComplete, type Rehearsal } from "../../rehearsal/rehearsal.ts";
import { verdictOf } from "../../rehearsal/report/text.ts";
import { soak } from "../../rehearsal/soak.ts";
import type { Standing } from "../../rehearsal/stage.ts";
import { keepCertificate } from "../files/certificate-files.ts";
import { liveFacts } from "../facts/collect-facts.ts";
import type { CliIo } from "../io.ts";
import { signerWith } from "../files/keys.ts";
import type { Loaded } from "../files/load.ts";
import { findRehearsal, recordOf, reportOf } from "./files.ts";
import { withoutProduction } from "./env.ts";
import { clearLeftovers, notesOf } from "./leftovers.ts";
import { rehearsalStage } from "./stage.ts";
import { holderOf, type State } from "../run/state.ts";
import { stateDirOf } from "../run/state-dir.ts";
import { VERSION } from "../version.ts";
import { Secrets } from "../wiring/secrets.ts";
import { wire } from "../wiring/wire.ts";
import { fileState } from "../wiring/state.ts";
import { refuseImmortals, wireBreaker } from "../wiring/rehearsal.ts";
import { servingOf, wireWitnesses } from "../wiring/witnesses.ts";

export type RehearseOrder = {
  readonly io: CliIo;
  readonly demo: Loaded;
  readonly production: Loaded;
  readonly state: State;
  readonly checks: readonly Check[];
  readonly isQuick: boolean;
  /** Goes on with the soak of an earlier rehearsal of exactly this. */
  readonly isResumed: boolean;
  /** Signs the certificate. Without one there is none. */
  readonly key?: SigningKey;
  readonly progress: RehearsalParts["progress"] & { event(event: RunEvent): void };
  readonly signal: AbortSignal;
};

export type Rehearsed = {
  readonly rehearsal: Rehearsal;
  /** Name of its folder. */
  readonly id: string;
  /** Where the certificate lies, if one was earned and signed. */
  readonly certificate?: string;
};

/** Rehearses a loaded plan. Everything it finds is kept in the demo environment's state folder, drill by drill. */
export async function rehearsePlan(order: RehearseOrder): Promise<Rehearsed> {
  const { demo, production, state, signal } = order;
  refuseWrongPlaces(demo, production);
  if (!order.isQuick && !order.isResumed) refuseImmortals(demo);
  const io: CliIo = { ...order.io, env: withoutProduction(order.io.env, demo.environment, production.environment) };
  const lease = await state.lease.acquire([`rehearsal/${demo.environment.name}`], holderOf("rehearsal"), signal);
  const stop = AbortSignal.any([signal, lease.lost]);
  try {
    const resumed = order.isResumed ? await resumable(order) : undefined;
    const id = resumed?.id ?? newId(demo, state.clock.now());
    const wired = await wire(demo, {
      env: io.env,
      cwd: io.cwd,
      stateDir: state.dir,
      clock: state.clock,
      run: "rehearsal",
    });
    const secrets = new Secrets(io.env, dirname(demo.environment.file));
    const witnesses = await wireWitnesses(demo.environment, secrets, { stateDir: state.dir });
    const breaker = wireBreaker(demo, { env: io.env, state });
    const notes = notesOf(state, id);
    const stage = rehearsalStage({
      io,
      loaded: demo,
      state,
      wired,
      breaker,
      onRun: (run) => notes.run(run),
      onEvent: (event) => order.progress.event(event),
    });
    await clearLeftovers(
      { io, state, stage, say: (text) => order.progress.starting({ name: text, number: 0, of: 0 }) },
      stop,
    );
    const keep = (rehearsal: Rehearsal) =>
      state.shelf.put(recordOf(id), `${JSON.stringify(rehearsal, undefined, 2)}\n`);
    // As they are before anything is tried: what changes meanwhile is found by the upgrade.
    const facts = order.key === undefined ? undefined : await factsOfBoth(order);
    const rehearsal = await rehearse(
      {
        plan: demo.plan.name,
        planFingerprint: demo.planFingerprint,
        demo: demo.graph,
        production: production.graph,
        isQuick: order.isQuick,
        soakMs: demo.plan.rehearsal.soakMs,
        drillSoakMs: demo.plan.rehearsal.drillSoakMs,
        allows: allowsOf(demo.migrations),
        ...(resumed === undefined ? {} : { resumed: resumed.rehearsal }),
      },
      {
        checks: order.checks,
        counters: [(place, counting) => countStatementsOf(demo, io, place, counting)],
        stage,
        notes,
        now: () => state.clock.now(),
        keep,
        progress: order.progress,
        soak: async (record, onProgress, soakSignal) => {
          refuseOtherReleases(demo, await stage.look(soakSignal));
          const soaked = await soak(
            record,
            {
              watcher: wired.world.watcher,
              config: wired.world.watch,
              instances: await servingOf(witnesses, soakSignal),
              clock: state.clock,
              onProgress,
            },
            soakSignal,
          );
          refuseOtherReleases(demo, await stage.look(soakSignal));
          return soaked;
        },
      },
      stop,
    );
    await writeReports(state, id, rehearsal);
    if (order.key === undefined || facts === undefined || !isComplete(rehearsal)) return { rehearsal, id };
    return { rehearsal, id, certificate: await signed(order, rehearsal, { key: order.key, facts }) };
  } finally {
    await lease.release();
  }
}

function refuseWrongPlaces(demo: Loaded, production: Loaded): void {
  const refuse = (message: string, hint: string) => new UpgradeError("REHEARSAL_REFUSED", message, { hint });
  if (demo.environment.class !== "demo")
    throw refuse(
      `${demo.environment.name} is of class ${demo.environment.class}, and drills kill what runs there`,
      "name an environment of class demo with --env",
    );
  if (demo.environment.name === production.environment.name)
    throw refuse("the rehearsal and the real thing are the same environment", "name another one with --for");
  const wanted = production.environment.rehearsedIn;
  if (wanted !== undefined && wanted !== demo.environment.name)
    throw refuse(
      `${production.environment.name} wants to be rehearsed in ${wanted}, not in ${demo.environment.name}`,
      `pass --env ${wanted}`,
    );
  for (const component of Object.values(demo.graph.components)) {
    const there = workloadOf(production.graph, component.name);
    if (component.kind !== "workload" || there?.driver !== component.driver) continue;
    const { release, digest } = component.target;
    if (there.target.digest !== digest)
      throw refuse(
        `${release} is ${digest} in ${demo.environment.name} and ${there.target.digest} in ${production.environment.name}: what is rehearsed would not be what runs`,
        `let \`releases\` in both environment files say the same, or move it to releases.yaml`,
      );
  }
}

async function resumable({ state, demo, production }: RehearseOrder) {
  const found = await findRehearsal(
    state.shelf,
    (one) =>
      awaitsSoak(one) &&
      one.planFingerprint === demo.planFingerprint &&
      one.environments.join() === [demo.environment.name, production.environment.name].join(),
  );
  if (found === undefined)
    throw new UpgradeError(
      "REHEARSAL_REFUSED",
      "no rehearsal of exactly this plan waits for the end of its soak in this environment",
      { hint: "rehearse without --resume: a changed byte in plan, releases or migrations needs all drills anew" },
    );
  return found;
}

/** The clock counts only for what is being rehearsed. */
function refuseOtherReleases(demo: Loaded, standing: Standing): void {
  for (const [place, state] of Object.entries(standing.workloads)) {
    const target = workloadOf(demo.graph, place.slice(0, place.lastIndexOf("/")))?.target;
    const other = state.instances.find((one) => one.digest !== target?.digest);
    if (state.instances.length > 0 && other === undefined) continue;
    throw new UpgradeError(
      "REHEARSAL_REFUSED",
      `${place} of ${demo.environment.name} does not carry ${target?.release ?? "the release"}: ${other?.release ?? "nothing runs there"}`,
      { hint: "rehearse again from the start" },
    );
  }
}

type BothFacts = { readonly demo: FactsOfNow; readonly production: FactsOfNow };

const factsOfBoth = async ({ io, state, demo, production }: RehearseOrder): Promise<BothFacts> => ({
  demo: await liveFacts(io, demo, state.dir),
  production: await liveFacts(io, production),
});

/** What the rehearsal earned, signed, and put where an upgrade of that environment looks for it. */
async function signed(
  order: RehearseOrder,
  rehearsal: Rehearsal,
  { key, facts }: { readonly key: SigningKey; readonly facts: BothFacts },
): Promise<string> {
  const { demo, production } = order;
  const now = order.state.clock.now();
  const statement = certify({
    midflight: VERSION,
    planFingerprint: demo.planFingerprint,
    files: certifiedFiles(demo.files),
    demo: { graph: demo.graph, facts: facts.demo.facts },
    production: { graph: production.graph, facts: facts.production.facts },
    dependsOn: facts.production.dependsOn,
    allows: rehearsal.allows,
    drills: rehearsal.drills,
    streams: rehearsal.soak.streams,
    soak: rehearsal.soak,
    signer: signerWith(key),
    signedAt: now,
    validFrom: now,
    validForMs: demo.plan.rehearsal.validForMs,
  });
  const { shelf } = fileState(stateDirOf(order.io, production.environment, undefined));
  return keepCertificate(shelf, seal(statement, key));
}

async function writeReports(state: State, id: string, rehearsal: Rehearsal): Promise<void> {
  const [{ html }, { junit }] = await Promise.all([
    import("../../rehearsal/report/html.ts"),
    import("../../rehearsal/report/junit.ts"),
  ]);
  await state.shelf.put(reportOf(id, "junit.xml"), junit(rehearsal));
  await state.shelf.put(reportOf(id, "report.html"), html(rehearsal, verdictOf(rehearsal)));
}

/** `good-upgrade-20261121-084600-3f9a`: sorts by time within a plan. */
const newId = (loaded: Loaded, now: number): string => {
  const [day = "", time = ""] = new Date(now).toISOString().split("T");
  return `${loaded.plan.name}-${day.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${randomBytes(2).toString("hex")}`;
};
