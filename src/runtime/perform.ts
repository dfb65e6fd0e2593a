import { Bug } from "../errors/bug.ts";
import type { Effect, EffectOf } from "../engine/effect.ts";
import type { EffectResult } from "../engine/fact.ts";
import type { Fence } from "../ports/fence.ts";
import type { Run } from "../engine/run.ts";
import type { Sightings, World } from "./world.ts";

export type Performance = {
  readonly run: Run;
  readonly fence: Fence;
  readonly sightings: Sightings;
  readonly signal: AbortSignal;
};

/** Makes one effect true through its port. Rejects with the port's error; the caller turns that into a fact. */
export async function perform(world: World, effect: Effect, how: Performance): Promise<EffectResult> {
  switch (effect.kind) {
    case "observe-workload":
      return observeWorkload(world, effect, how);
    case "observe-metadata": {
      const { store, migrations } = storeOf(world, effect.component);
      return { kind: "metadata", state: await store.observe(migrations, how.signal) };
    }
    case "shape":
      return shape(world, effect, how);
    case "weigh":
      return weigh(world, effect, how);
    case "migrate": {
      const { store, migrations } = storeOf(world, effect.component);
      return {
        kind: "migrated",
        ...(await store.migrate(
          { direction: effect.direction, names: effect.names, migrations },
          how.fence,
          how.signal,
        )),
      };
    }
    case "verify":
      return verify(world, effect, how);
    case "prove":
      return prove(world, effect, how);
    case "watch":
      return {
        kind: "evidence",
        verdict: await world.watcher.evidence(
          { excludePct: effect.excludePct, confidencePct: effect.confidencePct },
          how.signal,
        ),
      };
    case "timer":
      await world.clock.sleep(effect.ms, how.signal);
      return { kind: "elapsed" };
    case "run":
      return { kind: "ran", ...(await runProgram(world, effect, how)) };
    case "mark":
    case "ask":
    case "notify":
    case "cancel":
      throw new Bug(`${effect.kind} has no answer`);
  }
}

async function observeWorkload(
  world: World,
  effect: EffectOf<"observe-workload">,
  how: Performance,
): Promise<EffectResult> {
  const state = await workloadOf(world, effect.component).workload.observe(effect.region, how.signal);
  how.sightings.see(effect.component, state);
  return { kind: "workload", state };
}

async function shape(world: World, effect: EffectOf<"shape">, how: Performance): Promise<EffectResult> {
  const state = await workloadOf(world, effect.component).workload.shape(
    effect.region,
    effect.shape,
    how.fence,
    how.signal,
  );
  how.sightings.see(effect.component, state);
  return { kind: "workload", state };
}

async function weigh(world: World, effect: EffectOf<"weigh">, how: Performance): Promise<EffectResult> {
  const { traffic, workload } = workloadOf(world, effect.component);
  await traffic.weigh(effect.region, effect.weighing, how.fence, how.signal);
  // Others may answer now than before. That they could not be looked at is no reason to weigh again.
  const state = isBroughtByAdmission(how.run, effect.component)
    ? await workload.observe(effect.region, how.signal).catch(() => undefined)
    : undefined;
  if (state === undefined) how.sightings.weigh(effect.component, effect.region, effect.weighing);
  else how.sightings.see(effect.component, state);
  return { kind: "weighed" };
}

const isBroughtByAdmission = ({ graph }: Run, name: string): boolean => {
  const component = graph.components[name];
  return component?.kind === "workload" && component.isBroughtByAdmission === true;
};

/** A workload is as promised when each of its instances answers; a store, when its verify scripts pass. */
async function verify(world: World, effect: EffectOf<"verify">, how: Performance): Promise<EffectResult> {
  const store = world.metadata[effect.component];
  if (store !== undefined)
    await store.store.verify(
      store.migrations.map((one) => one.name),
      store.migrations,
      how.signal,
    );
  const component = how.run.graph.components[effect.component];
  if (component?.kind === "workload") {
    for (const region of component.regions)
      how.sightings.see(component.name, await workloadOf(world, component.name).workload.observe(region, how.signal));
  }
  return { kind: "verified" };
}

async function prove(world: World, effect: EffectOf<"prove">, how: Performance): Promise<EffectResult> {
  const state =
    how.sightings.last(effect.component, effect.region) ??
    (await workloadOf(world, effect.component).workload.observe(effect.region, how.signal));
  const ids = new Set(
    state.instances
      .filter((one) => one.digest === effect.digest && one.ordinal >= effect.from && one.ordinal <= effect.to)
      .map((one) => one.id),
  );
  const instances = how.sightings.watched(how.run).filter((one) => ids.has(one.id));
  if (instances.length < effect.to - effect.from + 1) {
    return {
      kind: "proof",
      result: {
        kind: "undecided",
        outcomes: 0,
        reason: `${instances.length} of ${effect.to - effect.from + 1} new instances of ${effect.component} in ${effect.region} can be probed`,
      },
    };
  }
  const order = { id: effect.id, instances, ...effect.dark, deadlineMs: effect.deadlineMs };
  return { kind: "proof", result: await world.watcher.prove(order, how.signal) };
}

const runProgram = (world: World, effect: EffectOf<"run">, how: Performance) =>
  world.runner.run(
    {
      argv: effect.argv,
      ...(effect.job === undefined ? {} : { job: effect.job }),
      shell: effect.shell,
      timeoutMs: effect.timeoutMs,
      cwd: world.programs.cwd,
      env: {
        ...world.programs.env,
        MIDFLIGHT_RUN: how.run.id,
        MIDFLIGHT_EFFECT: effect.id,
        MIDFLIGHT_FENCE: `${how.fence.epoch}.${how.fence.seq}`,
      },
    },
    how.signal,
  );

function workloadOf(world: World, component: string) {
  const found = world.workloads[component];
  if (found === undefined) throw new Bug(`no driver was wired for ${component}`);
  return found;
}

function storeOf(world: World, component: string) {
  const found = world.metadata[component];
  if (found === undefined) throw new Bug(`no store was wired for ${component}`);
  return found;
}
