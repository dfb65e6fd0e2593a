import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment, EnvironmentComponent } from "../../plan/model.ts";
import type { Facts } from "../../ports/facts.ts";
import { workloadFacts } from "../../rehearsal/parity/workload-facts.ts";
import { lookedAt } from "./process-options.ts";
import { Secrets } from "./secrets.ts";

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

/** What can be asked about a region itself, without anybody's keys: a venue tells its clock. */
export async function wireRegionFacts(environment: Environment, region: string): Promise<Facts> {
  const probe = environment.regions[region]?.probe;
  if (probe?.kind !== "okx") return { collect: () => Promise.resolve([]) };
  const { okxFacts } = await import("../../adapters/okx/facts.ts");
  return okxFacts({ region, rest: probe.rest, clock: systemClock });
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
      const workload = processWorkload(lookedAt(component, placed, environment, how));
      return workloadFacts(component, Object.keys(placed.balancer), workload);
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

/** ms since the epoch. */
export const now = (): number => systemClock.now();
