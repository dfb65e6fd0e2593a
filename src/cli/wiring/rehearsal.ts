import { dirname } from "node:path";
import type { Killing } from "../../adapters/kubernetes/kill-pods.ts";
import type { ProcessEstate } from "../../adapters/process/estate.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { wireEstate } from "./estate.ts";
import { wireKilling } from "./kubernetes.ts";
import { Secrets } from "./secrets.ts";

/** Breaks things in an environment that is there to be broken. */
export type Breaker = {
  /** Kills the instances of a component in a region, of one digest if it is given; they stay dead until they may come back. Resolves with how many there were. */
  kill(component: string, region: string, digest?: string): Promise<number>;
  /** What was killed comes back. */
  restore(component: string, region: string): Promise<void>;
  /** The drill is over: nobody is kept dead any more. */
  rest(): Promise<void>;
  /** A reader takes every table of a store and does not end. */
  holdStore(component: string, signal: AbortSignal): Promise<{ release(): Promise<void> }>;
};

type How = { readonly env: Readonly<Record<string, string | undefined>>; readonly state: State };

/** Throws `REHEARSAL_REFUSED` for anything but an environment of class demo; killing throws it where instances cannot be killed. */
export function wireBreaker(loaded: Loaded, how: How): Breaker {
  if (loaded.environment.class !== "demo")
    throw new UpgradeError("REHEARSAL_REFUSED", `${loaded.environment.name} is of class ${loaded.environment.class}`, {
      hint: "rehearse in an environment of class demo: drills kill what runs there",
    });
  const killers = new Map<string, Killer>();
  const killer = (component: string): Killer => {
    const found = killers.get(component) ?? killerOf(loaded, component, how);
    killers.set(component, found);
    return found;
  };
  return {
    kill: async (component, region, digest) => killer(component).kill(region, digest),
    restore: async (component, region) => killer(component).restore(region),
    rest: async () => void (await Promise.all([...killers.values()].map((one) => one.rest()))),
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

/** Kills the instances of one component, as its driver can. */
type Killer = {
  kill(region: string, digest?: string): Promise<number>;
  restore(region: string): Promise<void>;
  rest(): Promise<void>;
};

function killerOf(loaded: Loaded, component: string, { env, state }: How): Killer {
  const placed = loaded.environment.components[component];
  switch (placed?.driver) {
    case "process":
      return processKiller(wireEstate(loaded, component, { env, stateDir: state.dir }).estate);
    case "kubernetes":
      return kubernetesKiller({
        component,
        config: placed,
        releases: loaded.releases.releases,
        secrets: new Secrets(env, dirname(loaded.environment.file)),
        clock: state.clock,
      });
    case "command":
    case "postgres":
    case undefined:
      throw immortal(component, loaded);
  }
}

/** Throws `REHEARSAL_REFUSED` where drills would find nobody whom they can kill. */
export function refuseImmortals(loaded: Loaded): void {
  for (const { kind, name } of Object.values(loaded.graph.components))
    if (kind === "workload" && loaded.environment.components[name]?.driver === "command") throw immortal(name, loaded);
}

const immortal = (component: string, { environment }: Loaded): UpgradeError =>
  new UpgradeError(
    "REHEARSAL_REFUSED",
    `${component} is driven by commands in ${environment.name}: its instances cannot be killed, and drills do`,
    { hint: "rehearse where processes or Kubernetes drive it, or look at what needs no drills with --quick" },
  );

const processKiller = (estate: ProcessEstate): Killer => ({
  kill: async (region, digest) => {
    const pids = await estate.pids(region, digest);
    for (const pid of pids) kill(pid);
    return pids.length;
  },
  restore: (region) => estate.restore(region),
  // Processes do not come back by themselves.
  rest: async () => {},
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself in the meantime.
  }
}

function kubernetesKiller(placed: Parameters<typeof wireKilling>[0]): Killer {
  const killings = new Map<string, Killing[]>();
  const stop = async (region: string): Promise<void> => {
    const known = killings.get(region) ?? [];
    killings.delete(region);
    await Promise.all(known.map((killing) => killing.stop()));
  };
  return {
    async kill(region, digest) {
      const killing = await wireKilling(placed, region, digest);
      killings.set(region, [...(killings.get(region) ?? []), killing]);
      return killing.count;
    },
    restore: stop,
    rest: async () =>
      void (await Promise.all([...killings.keys()].map((region) => stop(region).catch(() => undefined)))),
  };
}
