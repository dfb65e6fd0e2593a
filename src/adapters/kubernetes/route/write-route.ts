import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { changeOf, readRecorded, refuseChanged, writeRecorded, type Recorded } from "../recorded.ts";
import type { Site } from "../site.ts";
import type { Errand } from "../under-fence.ts";
import { entriesOf } from "./entries.ts";
import { backendsOf, untakenIn, type HttpRoute } from "./http-route.ts";
import { backendsBy, weighedIn, weightChanges, weightPatch, type Weighed } from "./weighed.ts";

const TAKEN_WITHIN_MS = 15_000;
const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 1_000;

const ROUTE: Recorded<HttpRoute, Weighed> = {
  resource: "httproutes",
  nameIn: (site) => entriesOf(site).route,
  called: "the route",
  remedy: "put the weights back as they were ordered",
  recordIn: weighedIn,
  changes: (site, route, weighed) => weightChanges(backendsBy(weighed, entriesOf(site)), backendsOf(route)),
};

export const readRoute = (site: Site, signal: AbortSignal): Promise<HttpRoute> => readRecorded(ROUTE, site, signal);

/** In words; undefined where the weights are as they were ordered. */
export const routeChange = (site: Site, route: HttpRoute, weighed: Weighed): string | undefined =>
  changeOf(ROUTE, site, route, weighed);

export const refuseRouteChanged = (site: Site, route: HttpRoute, weighed: Weighed): void =>
  refuseChanged(ROUTE, site, route, weighed);

/** What the record shall be next, given the one that stands; undefined: nothing is to be written. `free`: none any more, and the weights as they were. */
type Next = (route: HttpRoute, weighed: Weighed | undefined) => Omit<Weighed, "format" | "fence"> | "free" | undefined;

/** Record and weights are one patch. Resolves with whether anything was written. Repeatable. `isShown`: see `writeRecorded`. */
export function writeRoute(errand: Errand, next: Next, isShown = false): Promise<boolean> {
  const { site, fence } = errand;
  return writeRecorded(
    ROUTE,
    errand,
    (route, known) => {
      const wanted = next(route, known);
      if (wanted === undefined) return undefined;
      const weighed: Weighed | undefined = wanted === "free" ? undefined : { format: 1, ...wanted, fence };
      const was = (weighed ?? known)?.was ?? backendsOf(route);
      return weightPatch(route, entriesOf(site), { weighed, was });
    },
    isShown,
  );
}

/**
 * Resolves once every gateway of the route says that it has read it as it is. Looks often at first, then once a second, for 15 s at most.
 * Rejects: `KUBERNETES_REFUSED` (a gateway says no), `BALANCER_UNREACHABLE` (it says nothing).
 */
export async function taken(site: Site, signal: AbortSignal): Promise<void> {
  const { clock } = site.options;
  const from = clock.monotonic();
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 1.5)) {
    const untaken = untakenIn(await readRoute(site, signal));
    if (untaken === undefined) return;
    if (untaken.isRefused)
      throw new UpgradeError("KUBERNETES_REFUSED", `${untaken.text}, in ${site.api.context}`, {
        hint: "correct the route or its gateway as that says",
      });
    if (clock.monotonic() - from > TAKEN_WITHIN_MS)
      throw new UpgradeError("BALANCER_UNREACHABLE", `${untaken.text}, in ${site.api.context}; waited for 15 s`, {
        hint: `look at the gateway's log, and at \`kubectl get httproute ${entriesOf(site).route} -o yaml\``,
      });
    await clock.sleep(pauseMs, signal);
  }
}
