import { systemClock } from "../../adapters/system/clock.ts";
import { isEntry } from "../../plan/entry.ts";
import type { Environment, EnvironmentComponent } from "../../plan/model.ts";
import { regionsOf } from "../../plan/regions-of.ts";
import type { Workload } from "../../ports/workload.ts";
import type { WatchedInstance } from "../../ports/watcher.ts";
import type { Witness } from "../../runtime/world.ts";
import { lookedAt } from "./process-options.ts";
import type { Secrets } from "./secrets.ts";

type How = { readonly stateDir: string; readonly without?: readonly string[] };

/** The components of an environment that users' operations enter through, to be looked at only. `without`: those that a plan changes itself. */
export async function wireWitnesses(environment: Environment, secrets: Secrets, how: How): Promise<readonly Witness[]> {
  const entries = Object.entries(environment.components).filter(
    ([component, placed]) => isEntry(placed) && how.without?.includes(component) !== true,
  );
  const wired = entries.map(async ([component, placed]): Promise<readonly Witness[]> => {
    const workload = await looker(environment, component, placed, { ...how, secrets });
    return workload === undefined ? [] : [{ component, regions: regionsOf(environment, placed), workload }];
  });
  return (await Promise.all(wired)).flat();
}

/** Sees instances and starts none. A command driver tells no addresses, and a store is no instance: the guard sees them through users' operations. */
async function looker(
  environment: Environment,
  component: string,
  placed: EnvironmentComponent,
  { secrets, ...how }: How & { readonly secrets: Secrets },
): Promise<Workload | undefined> {
  switch (placed.driver) {
    case "process": {
      const { processWorkload } = await import("../../adapters/process/workload.ts");
      return processWorkload(lookedAt(component, placed, environment, how));
    }
    case "kubernetes": {
      const { wireKubernetes } = await import("./kubernetes.ts");
      const { workload } = await wireKubernetes({
        component,
        config: placed,
        releases: {},
        secrets,
        clock: systemClock,
      });
      return workload;
    }
    case "command":
    case "postgres":
      return undefined;
  }
}

/** Their instances that are ready, as whoever watches without changing anything calls them. Rejects `WORKLOAD_UNREACHABLE`. */
export async function servingOf(
  witnesses: readonly Witness[],
  signal: AbortSignal,
): Promise<readonly WatchedInstance[]> {
  const seen = witnesses.flatMap(({ component, regions, workload }) =>
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
}
