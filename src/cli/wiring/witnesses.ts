import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment } from "../../plan/model.ts";
import type { WatchedInstance } from "../../ports/watcher.ts";
import type { Witness } from "../../runtime/world.ts";
import { processOptions } from "./process-options.ts";
import type { Secrets } from "./secrets.ts";

/** The components of an environment that users' operations enter through, to be looked at only. `without`: those that a plan changes itself. */
export async function wireWitnesses(
  environment: Environment,
  secrets: Secrets,
  how: { readonly stateDir: string; readonly without?: readonly string[] },
): Promise<readonly Witness[]> {
  const { processWorkload } = await import("../../adapters/process/workload.ts");
  // A command driver tells no addresses, a store is no instance, and others take no operation: the guard sees them through users' operations.
  return Object.entries(environment.components).flatMap(([component, placed]): readonly Witness[] => {
    if (placed.driver !== "process" || !placed.isEntry || how.without?.includes(component) === true) return [];
    // Nothing is started, so that nobody's secrets are needed.
    const options = processOptions(component, { ...placed, env: {} }, { environment, releases: NONE }, secrets, {
      stateDir: how.stateDir,
      clock: systemClock,
    });
    return [{ component, regions: Object.keys(placed.balancer), workload: processWorkload(options) }];
  });
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

const NONE = { midflight: 1 as const, file: "", releases: {} };
