import { isReplacing } from "../../plan/in-place.ts";
import type { Traffic } from "../../ports/traffic.ts";
import type { Workload } from "../../ports/workload.ts";
import { configCheck } from "./config-check.ts";
import { trafficInPlace } from "./in-place/traffic-in-place.ts";
import { workloadInPlace } from "./in-place/workload-in-place.ts";
import type { KubernetesOptions } from "./api/options.ts";
import { routedTrafficOn } from "./route/traffic-routed.ts";
import { routedWorkloadOn } from "./route/workload-routed.ts";
import { inOurWords, sitesOf, type Sites } from "./site.ts";
import { switchedTrafficOn } from "./switch/traffic-switched.ts";
import { switchedWorkloadOn } from "./switch/workload-switched.ts";
import { trafficOn } from "./traffic.ts";
import { workloadOn } from "./workload.ts";

type Driver = { readonly workload: Workload; readonly traffic: Traffic };

/** A stock Deployment, StatefulSet or DaemonSet in each region, upgraded without a controller or a custom resource. Nothing is connected to before it is asked. */
export const kubernetesDriver = (options: KubernetesOptions): Driver => driverOn(sitesOf(options), options);

/** The same by connections that somebody else uses, too. */
export function driverOn(sites: Sites, options: KubernetesOptions): Driver {
  const { workload, traffic } = driverFor(options, sites);
  return { workload: checked(workload, sites), traffic };
}

function driverFor({ config }: KubernetesOptions, sites: Sites): Driver {
  if (isReplacing(config.object.kind)) return { workload: workloadInPlace(sites), traffic: trafficInPlace(sites) };
  switch (config.traffic?.kind) {
    case "selector":
      return { workload: switchedWorkloadOn(sites), traffic: switchedTrafficOn(sites) };
    case "httpRoute":
      return { workload: routedWorkloadOn(sites), traffic: routedTrafficOn(sites) };
    case undefined:
      return { workload: workloadOn(sites), traffic: trafficOn(sites) };
  }
}

/** A run looks at every region before anything begins: what the new release reads is looked for then. */
function checked(workload: Workload, sites: Sites): Workload {
  const check = configCheck();
  return {
    ...workload,
    observe: async (region, signal) => {
      const state = await workload.observe(region, signal);
      await inOurWords("WORKLOAD_UNREACHABLE", () => check(sites(region), state, signal));
      return state;
    },
  };
}
