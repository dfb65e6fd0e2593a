import { unlessAbsent } from "../api/api-failure.ts";
import type { Place } from "../api/certain-write.ts";
import type { Deployment, Listed, Pod } from "../api/objects.ts";
import { RUN } from "../state/run-objects.ts";
import { ENVIRONMENT, ORDERS, podsOf, PROBERS, REGION } from "./deployment.ts";

/** A prober that stands in a namespace. */
export type StandingProber = { readonly name: string; readonly region: string; readonly run: string };

export async function probersIn(
  { api }: Place,
  environment: string,
  signal: AbortSignal,
): Promise<readonly StandingProber[]> {
  const ask = { verb: "list", resource: "deployments", query: { labelSelector: PROBERS } } as const;
  const { items = [] } = await api.send<Listed<Deployment>>(ask, signal);
  return items.flatMap(({ metadata: { name, annotations = {} } }) =>
    annotations[ENVIRONMENT] === environment
      ? [{ name, region: annotations[REGION] ?? "", run: annotations[RUN] ?? "" }]
      : [],
  );
}

/** A guard that lives says so every 3 s. */
const HEED_MS = 8_000;

/** Whether nobody orders it any more. Takes a while: no clock but our own says how old an order is. */
export async function isAbandoned(place: Place, { name }: StandingProber, signal: AbortSignal): Promise<boolean> {
  const before = await ordersOf(place, name, signal);
  await place.clock.sleep(HEED_MS, signal);
  return before === (await ordersOf(place, name, signal));
}

async function ordersOf({ api }: Place, name: string, signal: AbortSignal): Promise<string> {
  const { items = [] } = await api.send<Listed<Pod>>(
    { verb: "list", resource: "pods", query: { labelSelector: podsOf(name) } },
    signal,
  );
  return JSON.stringify(items.map(({ metadata }) => metadata.annotations?.[ORDERS] ?? ""));
}

/** With its pods, which take back what they left open. Resolves when they are gone, or after a while. */
export async function removeProber(place: Place, name: string, signal: AbortSignal): Promise<void> {
  const { api, clock } = place;
  const propagated = { propagationPolicy: "Background" };
  await unlessAbsent(api.send({ verb: "delete", resource: "deployments", name, query: propagated }, signal));
  for (const until = clock.monotonic() + GONE_MS; clock.monotonic() < until; await clock.sleep(LOOK_MS, signal)) {
    const query = { labelSelector: podsOf(name) };
    const { items = [] } = await api.send<Listed<Pod>>({ verb: "list", resource: "pods", query }, signal);
    if (items.length === 0) return;
  }
}

const GONE_MS = 12_000;
const LOOK_MS = 200;
