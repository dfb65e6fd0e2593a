import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { processEstate, type ProcessEstate } from "../../adapters/process/estate.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { ProcessComponent } from "../../plan/model.ts";
import type { Loaded } from "../files/load.ts";
import { processOptions } from "./process-options.ts";
import { Secrets } from "./secrets.ts";

export type WiredEstate = { readonly estate: ProcessEstate; readonly placed: ProcessComponent };

/** The instances of a component as whoever owns the machines sees them. `stateDir` is the one that upgrades use. */
export function wireEstate(
  loaded: Loaded,
  component: string,
  how: { readonly env: Readonly<Record<string, string | undefined>>; readonly stateDir: string },
): WiredEstate {
  const placed = loaded.environment.components[component];
  if (placed?.driver !== "process")
    throw new UpgradeError("VENUE_CONFIG", `${component} is not of the process driver`, {
      hint: "use the shipped plans",
    });
  const secrets = new Secrets(how.env, dirname(loaded.environment.file));
  return {
    estate: processEstate(
      processOptions(component, placed, loaded, secrets, { stateDir: how.stateDir, clock: systemClock }),
    ),
    placed,
  };
}

const GRACE_MS = 1_000;

/** Every component of which a state folder holds instances, in any environment, to end what nobody conducts any more. */
export async function wireLeftovers(stateDir: string): Promise<readonly ProcessEstate[]> {
  const environments = await readdir(join(stateDir, "processes")).catch(() => []);
  const estates = environments.map((environment) => leftoversOf(join(stateDir, "processes", environment)));
  return (await Promise.all(estates)).flat();
}

/** Knows no addresses: it cannot start any. */
async function leftoversOf(processes: string): Promise<readonly ProcessEstate[]> {
  const components = await readdir(join(processes, "instances")).catch(() => []);
  const config: ProcessComponent = {
    driver: "process",
    balancer: {},
    instances: 0,
    env: {},
    ready: "",
    drain: "",
    undrain: "",
    drained: "",
    readyDeadlineMs: 0,
    stopDeadlineMs: GRACE_MS,
    isEntry: true,
  };
  return components.map((name) =>
    processEstate({
      component: decodeURIComponent(name),
      config,
      env: {},
      releases: {},
      stateDir: processes,
      clock: systemClock,
    }),
  );
}
