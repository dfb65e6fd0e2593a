import type { UpgradeError } from "../errors/upgrade-error.ts";
import type { World } from "./world.ts";

/** The same world, in which the first look is refused: a run that has touched nothing ends with that, as with any look that is refused. */
export function refusedWorld(world: World, error: UpgradeError): World {
  const refuse = () => Promise.reject(error);
  return {
    ...world,
    workloads: Object.fromEntries(
      Object.entries(world.workloads).map(([name, { workload, traffic }]) => [
        name,
        { workload: { ...workload, observe: refuse }, traffic },
      ]),
    ),
    metadata: Object.fromEntries(
      Object.entries(world.metadata).map(([name, { store, migrations }]) => [
        name,
        { store: { ...store, observe: refuse }, migrations },
      ]),
    ),
  };
}
