import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import { isRolled } from "../../graph/rolled.ts";
import type { Announcer } from "../../ports/announcer.ts";
import type { Managers } from "../../ports/managers.ts";
import type { Loaded } from "../files/load.ts";
import { inKubernetes, optionsOf } from "./kubernetes.ts";
import { Secrets } from "./secrets.ts";

export type WiredCompanions = {
  /** Of components that ask for it with `pause: true`. */
  readonly managers: readonly { readonly component: string; readonly managers: Managers }[];
  readonly announcers: readonly { readonly component: string; readonly announcer: Announcer }[];
};

/** Who waits for a run, and who tells of it at the objects that it changes. Nothing is connected to before it is asked. Throws `SECRET_MISSING`. */
export async function wireCompanions(
  { plan, graph, environment }: Loaded,
  run: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<WiredCompanions> {
  const placed = inKubernetes(environment, Object.keys(plan.components)).filter(({ component }) =>
    isRolled(graph, component),
  );
  if (placed.length === 0) return { managers: [], announcers: [] };
  const { kubernetesManagers } = await import("../../adapters/kubernetes/beside/pausing.ts");
  const { kubernetesAnnouncer } = await import("../../adapters/kubernetes/beside/announcer.ts");
  const secrets = new Secrets(env, dirname(environment.file));
  const all = placed.map(({ component, config }) => ({
    component,
    isPausing: config.pausesManagers === true,
    options: optionsOf({ component, config, releases: {}, secrets, clock: systemClock }),
  }));
  return {
    managers: all
      .filter(({ isPausing }) => isPausing)
      .map(({ component, options }) => ({ component, managers: kubernetesManagers(options) })),
    announcers: all.map(({ component, options }) => ({ component, announcer: kubernetesAnnouncer(options, run) })),
  };
}
