import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { canonicalJson } from "../../../graph/fingerprint.ts";
import type { EndpointSlice } from "../api/objects.ts";
import type { SeenPod } from "../sight.ts";
import { list, type Site } from "../site.ts";
import { pinnedIn, type Pinned } from "../switch/pinned.ts";
import { selectorChange, readPinned, readService } from "../switch/selector.ts";
import { besideOf, entriesOf } from "./entries.ts";
import { unfitIn } from "./http-route.ts";
import { weighedIn, type Weighed } from "./weighed.ts";
import { readRoute, refuseRouteChanged, routeChange, taken } from "./write-route.ts";

/** By what users reach a component that a route weighs: the route's record, and whom each of the two Services names. */
export type Entry = { readonly weighed?: Weighed; readonly own?: Pinned; readonly beside?: Pinned };

/** As it was ordered. Rejects `FOREIGN_CHANGE` with what somebody else changed. */
export async function readEntry(site: Site, signal: AbortSignal): Promise<Entry> {
  const [route, own, beside] = await Promise.all([
    readRoute(site, signal),
    readPinned(site, signal),
    readPinned(besideOf(site), signal),
  ]);
  const weighed = weighedIn(route);
  if (weighed !== undefined) refuseRouteChanged(site, route, weighed);
  if (weighed === undefined && own !== undefined) throw lost(site);
  return entryOf(weighed, own, beside);
}

const entryOf = (weighed?: Weighed, own?: Pinned, beside?: Pinned): Entry => ({
  ...(weighed === undefined ? {} : { weighed }),
  ...(own === undefined ? {} : { own }),
  ...(beside === undefined ? {} : { beside }),
});

/** The same with what somebody else changed in words, and no offence taken. */
export async function seenEntry(site: Site, signal: AbortSignal): Promise<Entry & { readonly foreign?: string }> {
  const second = besideOf(site);
  const [route, service, other] = await Promise.all([
    readRoute(site, signal),
    readService(site, signal),
    readService(second, signal),
  ]);
  const [weighed, own, beside] = [weighedIn(route), pinnedIn(service), pinnedIn(other)];
  const changes = [
    weighed === undefined ? undefined : routeChange(site, route, weighed),
    own === undefined ? undefined : selectorChange(site, service, own),
    beside === undefined ? undefined : selectorChange(second, other, beside),
    weighed === undefined && own !== undefined ? lost(site).message : undefined,
  ].filter((text) => text !== undefined);
  return { ...entryOf(weighed, own, beside), ...(changes.length === 0 ? {} : { foreign: changes.join("; ") }) };
}

export const lost = (site: Site): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `httproute ${entriesOf(site).route} in ${site.api.context} carries no record of its weights any more, while its Services name releases: somebody took it away`,
    { hint: "free it with `midflight release-hold`, and look at the weights of the route" },
  );

/** Before anything is written. Rejects `KUBERNETES_REFUSED` where a share could not be given, or would cut somebody off. */
export async function refuseUnfit(site: Site, signal: AbortSignal): Promise<void> {
  const entries = entriesOf(site);
  const [route, own, beside] = await Promise.all([
    readRoute(site, signal),
    readService(site, signal),
    readService(besideOf(site), signal),
  ]);
  const unfit = weighedIn(route) === undefined ? unfitIn(route, entries) : [];
  const selectors = [own, beside].map((service) => service.spec?.selector ?? {});
  const others =
    pinnedIn(own) === undefined &&
    pinnedIn(beside) === undefined &&
    canonicalJson(selectors[0]) !== canonicalJson(selectors[1])
      ? [otherSelector(entries)]
      : [];
  const [why] = [...unfit, ...others];
  if (why !== undefined)
    throw new UpgradeError("KUBERNETES_REFUSED", `${why}, in ${site.api.context}`, {
      hint: "correct the route and its Services, or take `traffic` out of the environment file",
    });
  await taken(site, signal);
}

export const otherSelector = ({ own, beside }: { readonly own: string; readonly beside: string }): string =>
  `service ${beside} does not select the same pods as ${own}: give it the same selector`;

const LOOK_MS = 150;

/** Resolves once a Service lists all of these pods. Rejects `INSTANCE_NOT_READY` at the deadline for pods. */
export async function listed(site: Site, pods: readonly SeenPod[], signal: AbortSignal): Promise<void> {
  const { clock, config } = site.options;
  const from = clock.monotonic();
  for (;;) {
    const query = { labelSelector: `kubernetes.io/service-name=${config.service}` };
    const slices = await list<EndpointSlice>(site, { resource: "endpointslices", query }, signal);
    const known = new Set(
      slices.flatMap(({ endpoints }) => endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? ""),
    );
    const missing = pods.filter(({ pod }) => !known.has(pod.metadata.name));
    if (missing.length === 0) return;
    if (clock.monotonic() - from > config.readyDeadlineMs)
      throw new UpgradeError(
        "INSTANCE_NOT_READY",
        `${missing.length} pods are not in service ${config.service}: ${missing.map(({ pod }) => pod.metadata.name).join(", ")}`,
        { hint: "look at the Service with `kubectl describe service`" },
      );
    await clock.sleep(LOOK_MS, signal);
  }
}
