import { hostname } from "node:os";
import { leaseOn } from "../../src/adapters/file/lease-on.ts";
import { regionalLeases } from "../../src/adapters/kubernetes/state/lease-places.ts";
import type { KubernetesOptions } from "../../src/adapters/kubernetes/api/options.ts";
import type { HeldLease } from "../../src/ports/lease.ts";

/** A component as a run holds it in one region, beside its object, where `machine` conducts. */
export function takeInRegion(
  options: KubernetesOptions,
  region: string,
  { key, run, machine }: { readonly key: string; readonly run: string; readonly machine?: string },
): Promise<HeldLease> {
  const { clock, config } = options;
  const contexts = Object.entries(config.contexts).filter(([name]) => name === region);
  const places = regionalLeases({ ...options, config: { ...config, contexts: Object.fromEntries(contexts) } });
  const lease = leaseOn({
    clock,
    placesOf: (one) => places(one).map((place) => ({ ...place, isVital: true })),
    ...(machine === undefined ? {} : { machine }),
  });
  const holder = { run, host: machine ?? hostname(), pid: process.pid };
  return lease.acquire([key], holder, new AbortController().signal);
}
