import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment, EnvironmentComponent } from "../../plan/model.ts";
import type { Facts } from "../../ports/facts.ts";
import { workloadFacts } from "../../rehearsal/parity/workload-facts.ts";
import { processOptions, Secrets } from "./wire.ts";

export type FactsWiring = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stateDir: string;
};

/** What can be asked about one component of an environment. Nothing that is built here can change anything. Throws `SECRET_MISSING`, `SECRET_MALFORMED`. */
export async function wireFacts(environment: Environment, component: string, how: FactsWiring): Promise<Facts> {
  const placed = environment.components[component];
  if (placed === undefined) return { collect: () => Promise.resolve([]) };
  return ofDriver(environment, component, placed, how);
}

async function ofDriver(
  environment: Environment,
  component: string,
  placed: EnvironmentComponent,
  how: FactsWiring,
): Promise<Facts> {
  const secrets = new Secrets(how.env, dirname(environment.file));
  switch (placed.driver) {
    case "postgres": {
      const { postgresFacts } = await import("../../adapters/postgres/facts/facts.ts");
      const url = secrets.read(placed.url, "its URL");
      return postgresFacts({ component, url, reference: placed.reference ?? [], clock: systemClock });
    }
    case "process": {
      const { processWorkload } = await import("../../adapters/process/workload.ts");
      // Nothing is started, so that nobody's secrets are needed.
      const options = processOptions(component, { ...placed, env: {} }, { environment, releases: NONE }, secrets, {
        ...how,
        clock: systemClock,
      });
      return workloadFacts(component, Object.keys(placed.balancer), processWorkload(options));
    }
    case "kubernetes": {
      const { wireKubernetesFacts } = await import("./kubernetes.ts");
      return wireKubernetesFacts({ component, config: placed, releases: {}, secrets, clock: systemClock });
    }
    case "command": {
      const { commandWorkload } = await import("../../adapters/command/workload.ts");
      const { workload } = commandWorkload({ component, config: placed, cwd: how.cwd });
      return workloadFacts(component, Object.keys(environment.regions), workload);
    }
  }
}

const NONE = { midflight: 1 as const, file: "", releases: {} };

/** ms since the epoch. */
export const now = (): number => systemClock.now();
