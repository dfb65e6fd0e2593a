import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type {
  Environment,
  EnvironmentComponent,
  Migration,
  NotifyRule,
  PlanGuard,
  ProcessComponent,
  ProcessRelease,
  Value,
} from "../../plan/model.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Notifier } from "../../ports/notifier.ts";
import type { ProbeAccount, WatchConfig } from "../../ports/watcher.ts";
import type { World } from "../../runtime/world.ts";
import type { Loaded } from "../files/load.ts";

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
  if (placed.driver === "kubernetes") {
    const { wireKubernetes } = await import("./kubernetes.ts");
    const { releases } = loaded.releases;
    return wireKubernetes({ component: name, config: placed, releases, secrets, clock: how.clock });
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

/** What the process driver is built from. */
export function processOptions(
  name: string,
  placed: ProcessComponent,
  loaded: Pick<Loaded, "releases" | "environment">,
  secrets: Secrets,
  how: { readonly stateDir: string; readonly clock: Clock },
) {
  const releases = Object.fromEntries(
    Object.entries(loaded.releases.releases).flatMap(([release, kinds]): [string, ProcessRelease][] =>
      kinds.process === undefined ? [] : [[release, kinds.process]],
    ),
  );
  const env = Object.fromEntries(
    Object.entries(placed.env).map(([key, value]) => [key, secrets.read(value, `${key} of ${name}`)]),
  );
  return {
    component: name,
    config: placed,
    env,
    releases,
    // Two environments may keep their state in one folder.
    stateDir: join(how.stateDir, "processes", loaded.environment.name),
    clock: how.clock,
  };
}

/** `record`: a file that everything the guard is told is written to. */
export function watchConfig(
  environment: Environment,
  guard: PlanGuard,
  secrets: Secrets,
  how: { readonly run: string; readonly record?: string },
): WatchConfig {
  const counters = Object.values(environment.components).flatMap((component) =>
    "counters" in component && component.counters !== undefined ? [component.counters] : [],
  );
  return {
    guard,
    regions: Object.entries(environment.regions).map(([region, { probe }]) => ({
      region,
      ...(probe === undefined ? {} : { probe }),
      accounts:
        probe === undefined
          ? []
          : accountsOf(secrets.read(probe.accounts, `probe accounts of ${region}`), region, secrets),
    })),
    ...(counters[0] === undefined ? {} : { counters: counters[0] }),
    orderPrefix: `mf${how.run.replaceAll(/[^a-zA-Z0-9]/g, "").slice(-8)}`,
    ...(how.record === undefined ? {} : { record: how.record }),
  };
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

/** Reads values that must not stand in files, and remembers them, so that they can be blacked out everywhere. */
export class Secrets {
  private readonly env: Readonly<Record<string, string | undefined>>;
  private readonly folder: string;
  private readonly values = new Set<string>();

  constructor(env: Readonly<Record<string, string | undefined>>, folder: string) {
    this.env = env;
    this.folder = folder;
  }

  /** Throws `SECRET_MISSING`. */
  read(value: Value, what: string): string {
    if (typeof value === "string") return value;
    const text = "env" in value ? (this.env[value.env] ?? value.default) : this.readFile(value.file, what);
    if (text === undefined)
      throw new UpgradeError(
        "SECRET_MISSING",
        `${what}: the environment variable ${"env" in value ? value.env : ""} is not set`,
        { hint: "set it, and start again" },
      );
    if (!("env" in value) || text !== value.default) this.values.add(text);
    this.addPassword(text);
    return text;
  }

  add(...values: readonly string[]): void {
    for (const value of values) this.values.add(value);
  }

  seen(): readonly string[] {
    return [...this.values];
  }

  private addPassword(text: string): void {
    if (!URL.canParse(text)) return;
    const { password } = new URL(text);
    if (password !== "") this.add(password, decodeURIComponent(password));
  }

  private readFile(file: string, what: string): string {
    const path = isAbsolute(file) ? file : resolve(this.folder, file);
    try {
      return readFileSync(path, "utf8").trim();
    } catch (cause) {
      throw new UpgradeError("SECRET_MISSING", `${what}: the file ${path} cannot be read`, {
        hint: "write it, and let this user read it",
        cause,
      });
    }
  }
}
