import { dirname } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { wireEstate } from "./estate.ts";
import { Secrets } from "./secrets.ts";

/** Breaks things in an environment that is there to be broken. */
export type Breaker = {
  /** SIGKILL to the instances of a component in a region, of one digest if it is given. Resolves with how many there were. */
  kill(component: string, region: string, digest?: string): Promise<number>;
  /** Starts again what was killed. */
  restore(component: string, region: string): Promise<void>;
  /** A reader takes every table of a store and does not end. */
  holdStore(component: string, signal: AbortSignal): Promise<{ release(): Promise<void> }>;
};

/** Throws `REHEARSAL_REFUSED` for anything but an environment of class demo. */
export function wireBreaker(
  loaded: Loaded,
  how: { readonly env: Readonly<Record<string, string | undefined>>; readonly state: State },
): Breaker {
  if (loaded.environment.class !== "demo")
    throw new UpgradeError("REHEARSAL_REFUSED", `${loaded.environment.name} is of class ${loaded.environment.class}`, {
      hint: "rehearse in an environment of class demo: drills kill what runs there",
    });
  const estateOf = (component: string) =>
    wireEstate(loaded, component, { env: how.env, stateDir: how.state.dir }).estate;
  return {
    kill: async (component, region, digest) => {
      const pids = await estateOf(component).pids(region, digest);
      for (const pid of pids) kill(pid);
      return pids.length;
    },
    restore: (component, region) => estateOf(component).restore(region),
    holdStore: async (component, signal) => {
      const placed = loaded.environment.components[component];
      if (placed?.driver !== "postgres")
        throw new UpgradeError("REHEARSAL_REFUSED", `${component} is no PostgreSQL store`, {
          hint: "give the component the postgres driver in the demo environment",
        });
      const { holdTables } = await import("../../adapters/postgres/hold-tables.ts");
      const secrets = new Secrets(how.env, dirname(loaded.environment.file));
      return holdTables(secrets.read(placed.url, `the URL of ${component}`), signal);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself in the meantime.
  }
}
