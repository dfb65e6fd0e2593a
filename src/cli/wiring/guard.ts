import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment, EnvironmentComponent, PlanGuard } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { WatchConfig, WatchedInstance, Watcher } from "../../ports/watcher.ts";
import type { Workload } from "../../ports/workload.ts";
import { processOptions, Secrets, watchConfig } from "./wire.ts";

/** A guard without a run: everything that it sees was there before, and nothing is changed. */
export type WiredGuard = {
  readonly watcher: Watcher;
  readonly config: WatchConfig;
  readonly clock: Clock;
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
  const places = await wirePlaces(environment, secrets, how);
  return {
    watcher: guardThread(),
    config: watchConfig(environment, guard, secrets, {
      run: `guard${systemClock.now()}`,
      ...(how.record === undefined ? {} : { record: how.record }),
    }),
    clock: systemClock,
    instances: async (signal) => {
      const seen = places.flatMap(({ component, regions, workload }) =>
        regions.map(async (region): Promise<readonly WatchedInstance[]> => {
          const { instances } = await workload.observe(region, signal);
          return instances.flatMap(({ id, release, ready, weightPct, address }) =>
            ready && address !== undefined
              ? [{ id, component, region, release, side: "old", url: `http://${address}`, inTraffic: weightPct > 0 }]
              : [],
          );
        }),
      );
      return (await Promise.all(seen)).flat();
    },
  };
}

type WiredPlace = { readonly component: string; readonly regions: readonly string[]; readonly workload: Workload };

async function wirePlaces(
  environment: Environment,
  secrets: Secrets,
  how: { readonly cwd: string; readonly stateDir: string },
): Promise<readonly WiredPlace[]> {
  const places = Object.entries(environment.components).map(([name, placed]) =>
    wirePlace(environment, name, placed, { ...how, secrets }),
  );
  return (await Promise.all(places)).flat();
}

/** None for a command driver, which tells no addresses, and for a store, which is no instance: the guard sees both through users' operations. */
async function wirePlace(
  environment: Environment,
  component: string,
  placed: EnvironmentComponent,
  how: { readonly secrets: Secrets; readonly stateDir: string },
): Promise<readonly WiredPlace[]> {
  switch (placed.driver) {
    case "process": {
      const { processWorkload } = await import("../../adapters/process/workload.ts");
      const options = processOptions(component, { ...placed, env: {} }, { environment, releases: NONE }, how.secrets, {
        ...how,
        clock: systemClock,
      });
      return [{ component, regions: Object.keys(placed.balancer), workload: processWorkload(options) }];
    }
    case "kubernetes": {
      const { wireKubernetes } = await import("./kubernetes.ts");
      const { secrets } = how;
      const wired = await wireKubernetes({ component, config: placed, releases: {}, secrets, clock: systemClock });
      return [{ component, regions: Object.keys(placed.contexts), workload: wired.workload }];
    }
    case "command":
    case "postgres":
      return [];
  }
}

const NONE = { midflight: 1 as const, file: "", releases: {} };
