import { dirname, join } from "node:path";
import type {
  Environment,
  EnvironmentComponent,
  InstanceCounters,
  Migration,
  PlanGuard,
  Value,
} from "../../plan/model.ts";
import { countersOf } from "../../plan/entry.ts";
import type { Clock } from "../../ports/clock.ts";
import type { WatchConfig } from "../../ports/watcher.ts";
import type { World } from "../../runtime/world.ts";
import type { Loaded } from "../files/load.ts";
import { wireNotifiers } from "./notifiers.ts";
import { rulesNamed, watchedRegion } from "./probes.ts";
import { wireProbers } from "./probers.ts";
import { processOptions } from "./process-options.ts";
import { wireRunner } from "./runner.ts";
import { Secrets } from "./secrets.ts";
import { watchedSources } from "./sources.ts";
import { wireWitnesses } from "./witnesses.ts";

/** Builds every adapter of an environment. Nothing else does; drivers that no component needs stay unloaded. */
export async function wire(
  loaded: Loaded,
  how: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly cwd: string;
    readonly stateDir: string;
    readonly clock: Clock;
    readonly run: string;
    /** File for everything that the guard is told. */
    readonly record?: string;
  },
): Promise<Wired> {
  const secrets = new Secrets(how.env, dirname(loaded.environment.file));
  const workloads: Record<string, World["workloads"][string]> = {};
  const metadata: Record<string, World["metadata"][string]> = {};
  for (const [name] of Object.entries(loaded.plan.components)) {
    const placed = loaded.environment.components[name];
    if (placed === undefined) continue;
    if (placed.driver === "postgres")
      metadata[name] = await wireStore(placed.url, loaded.migrations[name] ?? [], secrets, how.clock);
    else workloads[name] = await wireWorkload(name, placed, loaded, secrets, how);
  }
  const { guardThread } = await import("../../adapters/guard-thread/guard-thread.ts");
  const { guard } = loaded.plan;
  const watch = watchConfig(loaded.environment, guard, secrets, { ...how, ...besides(how.record) });
  const probers = await wireProbers(loaded.environment, guard, {
    run: how.run,
    prefix: watch.orderPrefix,
    secrets,
    clock: how.clock,
  });
  const world: World = {
    workloads,
    metadata,
    witnesses: await wireWitnesses(loaded.environment, secrets, {
      stateDir: how.stateDir,
      without: Object.keys(loaded.plan.components),
    }),
    watcher: guardThread({ probers }),
    watch,
    runner: await wireRunner(loaded, secrets, how),
    programs: { cwd: how.cwd, env: { ...programEnv(how.env), ...placeEnv(loaded, secrets) } },
    notifiers: await wireNotifiers(loaded.environment, secrets, how.clock),
    clock: how.clock,
  };
  return { world, secrets: secrets.seen() };
}

/** Beside the recording of a run, so that whoever resumes it finds what probes left open. */
const besides = (record: string | undefined): { readonly left?: string } =>
  record === undefined ? {} : { left: join(dirname(record), "probes-left") };

export type Wired = { readonly world: World; readonly secrets: readonly string[] };

async function wireStore(
  url: Value,
  migrations: readonly Migration[],
  secrets: Secrets,
  clock: Clock,
): Promise<World["metadata"][string]> {
  const { postgresMetadata } = await import("../../adapters/postgres/metadata.ts");
  return { store: postgresMetadata({ url: secrets.read(url, "the URL of a store"), clock }), migrations };
}

async function wireWorkload(
  name: string,
  placed: Exclude<EnvironmentComponent, { readonly driver: "postgres" }>,
  loaded: Loaded,
  secrets: Secrets,
  how: { readonly stateDir: string; readonly clock: Clock; readonly cwd: string },
): Promise<World["workloads"][string]> {
  if (placed.driver === "kubernetes") {
    const { wireKubernetes } = await import("./kubernetes.ts");
    const { releases } = loaded.releases;
    const target = loaded.plan.components[name]?.release;
    const release = target === undefined ? {} : { target };
    return wireKubernetes({ component: name, config: placed, releases, ...release, secrets, clock: how.clock });
  }
  if (placed.driver === "command") {
    const { commandWorkload } = await import("../../adapters/command/workload.ts");
    return commandWorkload({ component: name, config: placed, cwd: how.cwd });
  }
  const { processWorkload } = await import("../../adapters/process/workload.ts");
  const { processTraffic } = await import("../../adapters/process/traffic.ts");
  const options = processOptions(name, placed, loaded, secrets, how);
  return { workload: processWorkload(options), traffic: processTraffic(options) };
}

/** `record`: a file that everything the guard is told is written to. `left`: where probes write down what they leave open. */
export function watchConfig(
  environment: Environment,
  guard: PlanGuard,
  secrets: Secrets,
  how: { readonly run: string; readonly cwd: string; readonly record?: string; readonly left?: string },
): WatchConfig {
  const counters = Object.values(environment.components).flatMap((component) => countersOf(component) ?? []);
  return {
    guard,
    regions: Object.keys(environment.regions).map((region) => watchedRegion(environment, guard, region, secrets)),
    ...(counters[0] === undefined ? {} : { counters: counted(environment, counters[0]) }),
    ...(environment.sources.length === 0 ? {} : { sources: watchedSources(environment, secrets, how.cwd) }),
    orderPrefix: `mf${how.run.replaceAll(/[^a-zA-Z0-9]/g, "").slice(-8)}`,
    ...(how.record === undefined ? {} : { record: how.record }),
    ...(how.left === undefined ? {} : { left: how.left }),
  };
}

function counted(
  environment: Environment,
  { path, metric, rules }: InstanceCounters,
): NonNullable<WatchConfig["counters"]> {
  const known = rulesNamed(environment, rules);
  return { path, metric, ...(known === undefined ? {} : { rules: known }) };
}

/** Where they act: a plan's program must reach the store of this environment, in a rehearsal that of demo. `MIDFLIGHT_STORE_ORDERS_DB` is the address of orders-db. */
function placeEnv(loaded: Loaded, secrets: Secrets): Readonly<Record<string, string>> {
  const stores = Object.entries(loaded.environment.components).flatMap(([name, placed]): [string, string][] =>
    placed.driver === "postgres" && loaded.plan.components[name] !== undefined
      ? [[`MIDFLIGHT_STORE_${name.replaceAll("-", "_").toUpperCase()}`, secrets.read(placed.url, "the URL of a store")]]
      : [],
  );
  return { MIDFLIGHT_ENVIRONMENT: loaded.environment.name, ...Object.fromEntries(stores) };
}

/** What a plan's own programs see besides: the ordinary environment of this process. */
function programEnv(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
