import type { Traffic } from "../../ports/traffic.ts";
import type { Workload } from "../../ports/workload.ts";
import type { KubernetesOptions } from "./options.ts";
import { sitesOf } from "./site.ts";
import { trafficOn } from "./traffic.ts";
import { workloadOn } from "./workload.ts";

/** A stock Deployment in each region, upgraded without a controller or a custom resource. Nothing is connected to before it is asked. */
export function kubernetesDriver(options: KubernetesOptions): {
  readonly workload: Workload;
  readonly traffic: Traffic;
} {
  const sites = sitesOf(options);
  return { workload: workloadOn(sites), traffic: trafficOn(sites) };
}
