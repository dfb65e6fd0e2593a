import { dirname } from "node:path";
import type { Environment, EnvironmentComponent, Migration, NotifyRule, PlanGuard, Value } from "../../plan/model.ts";
import { accountsNeeded, OPERATIONS_PER_ACCOUNT } from "../../adapters/guard-thread/rate-limits.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Notifier } from "../../ports/notifier.ts";
import type { ProbeAccount, WatchConfig } from "../../ports/watcher.ts";
import type { World } from "../../runtime/world.ts";
import type { Loaded } from "../files/load.ts";
import { processOptions } from "./process-options.ts";
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
  const { localRunner } = await import("../../adapters/runner/local-runner.ts");
  const world: World = {
    workloads,
    metadata,
    witnesses: await wireWitnesses(loaded.environment, secrets, {
      stateDir: how.stateDir,
      without: Object.keys(loaded.plan.components),
    }),
    watcher: guardThread(),
    watch: watchConfig(loaded.environment, loaded.plan.guard, secrets, how),
    runner: localRunner(),
    programs: { cwd: how.cwd, env: { ...programEnv(how.env), ...placeEnv(loaded, secrets) } },
    notifiers: await Promise.all(loaded.environment.notify.map((rule) => wireNotifier(rule, secrets, how.clock))),
    clock: how.clock,
  };
  return { world, secrets: secrets.seen() };
}

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
  if (placed.driver === "command") {
    const { commandWorkload } = await import("../../adapters/command/workload.ts");
    return commandWorkload({ component: name, config: placed, cwd: how.cwd });
  }
  const { processWorkload } = await import("../../adapters/process/workload.ts");
  const { processTraffic } = await import("../../adapters/process/traffic.ts");
  const options = processOptions(name, placed, loaded, secrets, how);
  return { workload: processWorkload(options), traffic: processTraffic(options) };
}

/** `record`: a file that everything the guard is told is written to. */
export function watchConfig(
  environment: Environment,
  guard: PlanGuard,
  secrets: Secrets,
  how: { readonly run: string; readonly cwd: string; readonly record?: string },
): WatchConfig {
  const counters = Object.values(environment.components).flatMap((component) =>
    component.driver === "process" && component.counters !== undefined ? [component.counters] : [],
  );
  return {
    guard,
    regions: Object.entries(environment.regions).map(([region, { probe }]) => ({
      region,
      ...(probe === undefined ? {} : { probe }),
      accounts:
        probe === undefined
          ? []
          : enoughFor(
              guard,
              region,
              accountsOf(secrets.read(probe.accounts, `probe accounts of ${region}`), region, secrets),
            ),
    })),
    ...(counters[0] === undefined ? {} : { counters: counters[0] }),
    ...(environment.sources.length === 0 ? {} : { sources: watchedSources(environment, secrets, how.cwd) }),
    orderPrefix: `mf${how.run.replaceAll(/[^a-zA-Z0-9]/g, "").slice(-8)}`,
    ...(how.record === undefined ? {} : { record: how.record }),
  };
}

/** Venues limit each account. Fewer accounts would probe less often than the plan says, and nobody would notice. */
function enoughFor(guard: PlanGuard, region: string, accounts: readonly ProbeAccount[]): readonly ProbeAccount[] {
  const needed = accountsNeeded(guard.probesPerSec);
  if (accounts.length >= needed) return accounts;
  const most = accounts.length * OPERATIONS_PER_ACCOUNT;
  throw new UpgradeError(
    "PROBE_ACCOUNTS_FEW",
    `${guard.probesPerSec} probes a second in ${region} need ${needed} accounts, and ${accounts.length} ${accounts.length === 1 ? "is" : "are"} given`,
    { hint: `add accounts, or set guard.probes to at most ${most}/s` },
  );
}

function accountsOf(text: string, region: string, secrets: Secrets): readonly ProbeAccount[] {
  const bad = (why: string) =>
    new UpgradeError("SECRET_MALFORMED", `the probe accounts of ${region} ${why}`, {
      hint: 'give a JSON list of {"apiKey","secret","passphrase","cohort"}',
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw bad("are no JSON");
  }
  if (!Array.isArray(parsed) || parsed.length === 0) throw bad("are no list, or an empty one");
  return parsed.map((one: Partial<ProbeAccount>) => {
    const { apiKey, secret, passphrase, cohort } = one;
    if (typeof apiKey !== "string" || typeof secret !== "string" || typeof passphrase !== "string")
      throw bad("lack a key, a secret or a passphrase");
    secrets.add(secret, passphrase);
    return { apiKey, secret, passphrase, cohort: cohort ?? "all" };
  });
}

async function wireNotifier(rule: NotifyRule, secrets: Secrets, clock: Clock): Promise<Notifier> {
  if (rule.target.kind === "webhook") {
    const { webhookNotifier } = await import("../../adapters/notify/webhook.ts");
    return webhookNotifier({ url: secrets.read(rule.target.url, "the URL of a webhook"), on: rule.on, clock });
  }
  const { commandNotifier } = await import("../../adapters/notify/command.ts");
  return commandNotifier({ argv: rule.target.argv, on: rule.on });
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
