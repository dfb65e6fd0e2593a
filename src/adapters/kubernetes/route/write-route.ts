import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../../ports/fence.ts";
import { amend } from "../amend.ts";
import { isFailure } from "../api/api-failure.ts";
import { managersOf } from "../beside/managers.ts";
import { isLower } from "../hold.ts";
import type { Site } from "../site.ts";
import type { Errand } from "../under-fence.ts";
import { entriesOf } from "./entries.ts";
import { backendsOf, untakenIn, type HttpRoute } from "./http-route.ts";
import { backendsBy, weighedIn, weightChanges, weightPatch, type Weighed } from "./weighed.ts";

/** A gateway writes its status to the route; somebody else may write too. */
const TRIES = 20;
const TAKEN_WITHIN_MS = 15_000;
const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 1_000;

export const readRoute = (site: Site, signal: AbortSignal): Promise<HttpRoute> =>
  site.api.send<HttpRoute>({ verb: "get", resource: "httproutes", name: entriesOf(site).route }, signal);

/** In words; undefined where the weights are as they were ordered. */
export function routeChange(site: Site, route: HttpRoute, weighed: Weighed): string | undefined {
  const changes = weightChanges(backendsBy(weighed, entriesOf(site)), backendsOf(route));
  if (changes.length === 0) return undefined;
  const suspects = managersOf(route.metadata).map(({ name }) => name);
  const by = suspects.length === 0 ? "" : ` (it is managed by ${suspects.join(" and ")})`;
  return `httproute ${route.metadata.name} in ${site.api.context} was changed by somebody else while midflight held it: ${changes.join("; ")}${by}`;
}

export function refuseRouteChanged(site: Site, route: HttpRoute, weighed: Weighed): void {
  const text = routeChange(site, route, weighed);
  if (text === undefined) return;
  const pauses = managersOf(route.metadata).map(({ pause }) => `${pause}; `);
  throw new UpgradeError("FOREIGN_CHANGE", text, {
    hint: `${pauses.join("")}put the weights back as they were ordered, then \`midflight resume\``,
  });
}

/** What the record shall be next, given the one that stands; undefined: nothing is to be written. `free`: none any more, and the weights as they were. */
type Next = (route: HttpRoute, weighed: Weighed | undefined) => Omit<Weighed, "format" | "fence"> | "free" | undefined;

/**
 * Reads, decides, and writes only if nobody wrote meanwhile: record and weights are one patch. Resolves with whether anything was written. Repeatable.
 * `isShown`: weights that somebody changed meanwhile are no offence, since whoever asked was shown them.
 */
export async function writeRoute(errand: Errand, next: Next, isShown = false): Promise<boolean> {
  const { site, fence, signal } = errand;
  const entries = entriesOf(site);
  for (let turn = 1; ; turn += 1) {
    const route = await readRoute(site, signal);
    const known = weighedIn(route);
    if (known !== undefined && !isShown) {
      refuseLate(site, fence, known);
      refuseRouteChanged(site, route, known);
    }
    const wanted = next(route, known);
    if (wanted === undefined) return false;
    const weighed: Weighed | undefined = wanted === "free" ? undefined : { format: 1, ...wanted, fence };
    const was = (weighed ?? known)?.was ?? backendsOf(route);
    const body = weightPatch(route, entries, { weighed, was });
    try {
      const query = { fieldManager: "midflight" };
      await site.api.send({ verb: "patch", resource: "httproutes", name: entries.route, query, body }, signal);
      return true;
    } catch (error) {
      if (!isFailure(error, 409) || turn === TRIES) throw error;
      // Whoever wrote may be the next conductor.
      if (!isShown) await amend(site, fence, () => undefined, signal);
    }
  }
}

function refuseLate({ frame }: Site, fence: Fence, weighed: Weighed): void {
  if (!isLower(fence, weighed.fence)) return;
  throw new UpgradeError(
    "FENCED",
    `a write with fence ${fenceText(fence)} was refused for the route of ${frame.component} in ${frame.region}, where ${fenceText(weighed.fence)} was seen`,
    { hint: "look at `midflight status` to see who acts now" },
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
