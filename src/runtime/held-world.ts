import type { HeldLease } from "../ports/lease.ts";
import type { World } from "./world.ts";

/**
 * The same world, written to only where its components are held: a region that did not answer when the lease was taken is entered before the first
 * write there. Looking needs no lease.
 */
export function heldWorld(world: World, lease: HeldLease, keyOf: (component: string) => string): World {
  const { enter } = lease;
  if (enter === undefined || lease.unheld === undefined) return world;
  const workloads = Object.entries(world.workloads).map(
    ([component, { workload, traffic }]): [string, World["workloads"][string]] => {
      const key = keyOf(component);
      return [
        component,
        {
          workload: {
            observe: (region, signal) => workload.observe(region, signal),
            async shape(region, shape, fence, signal) {
              await enter(key, region, signal);
              return workload.shape(region, shape, fence, signal);
            },
          },
          traffic: {
            async weigh(region, weighing, fence, signal) {
              await enter(key, region, signal);
              return traffic.weigh(region, weighing, fence, signal);
            },
          },
        },
      ];
    },
  );
  return { ...world, workloads: Object.fromEntries(workloads) };
}
