import type { LeasePlace } from "../../../ports/turns.ts";
import type { KubernetesOptions } from "../api/options.ts";
import { sitesOf } from "../site.ts";
import { leaseIn } from "./turns.ts";

/**
 * A key as a Lease in every region of a component, beside its Deployment: conductors that keep their state apart still meet there. The region
 * is a part of the key, because two regions may be namespaces of one cluster, or even one namespace.
 */
export function regionalLeases(options: KubernetesOptions): (key: string) => readonly LeasePlace[] {
  const sites = sitesOf(options);
  return (key) =>
    Object.keys(options.config.contexts).map((region) => ({
      ...leaseIn({ api: sites(region).api, clock: options.clock }, `${key}/${region}`, false),
      region,
    }));
}
