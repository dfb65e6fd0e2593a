import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment, PlanGuard } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { WatchConfig, WatchedInstance, Watcher } from "../../ports/watcher.ts";
import { wireProbers } from "./probers.ts";
import { Secrets } from "./secrets.ts";
import { watchConfig } from "./wire.ts";
import { servingOf, wireWitnesses } from "./witnesses.ts";

/** A guard without a run: everything that it sees was there before, and nothing is changed. */
export type WiredGuard = {
  readonly watcher: Watcher;
  readonly config: WatchConfig;
  readonly clock: Clock;
  /** Values that must be blacked out in whatever is printed. */
  readonly secrets: readonly string[];
  /** The instances that serve now. Rejects `WORKLOAD_UNREACHABLE`, `COMMAND_FAILED`. */
  instances(signal: AbortSignal): Promise<readonly WatchedInstance[]>;
};

export async function wireGuard(
  environment: Environment,
  guard: PlanGuard,
  how: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly cwd: string;
    readonly stateDir: string;
    readonly record?: string;
  },
): Promise<WiredGuard> {
  const { guardThread } = await import("../../adapters/guard-thread/guard-thread.ts");
  const secrets = new Secrets(how.env, dirname(environment.file));
  const witnesses = await wireWitnesses(environment, secrets, how);
  const run = `guard${systemClock.now()}`;
  const config = watchConfig(environment, guard, secrets, {
    run,
    cwd: how.cwd,
    ...(how.record === undefined ? {} : { record: how.record }),
  });
  const clock = systemClock;
  return {
    watcher: guardThread({
      probers: await wireProbers(environment, guard, { run, prefix: config.orderPrefix, secrets, clock }),
    }),
    config,
    secrets: secrets.seen(),
    clock,
    instances: (signal) => servingOf(witnesses, signal),
  };
}
