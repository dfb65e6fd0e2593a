import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Weighing } from "../../../graph/observation.ts";
import type { Traffic } from "../../../ports/traffic.ts";
import { groundOf, type Ground } from "../roll.ts";
import type { Site, Sites } from "../site.ts";
import { fencedTraffic } from "../switch/fenced-ports.ts";
import { hashOf } from "../switch/sides.ts";
import { refuseSick } from "../switch/traffic-switched.ts";
import type { Errand } from "../under-fence.ts";
import { sideOf } from "../variant.ts";
import { lost, readEntry } from "./entry.ts";
import type { Weights } from "./weighed.ts";
import { taken, writeRoute } from "./write-route.ts";

/**
 * Shares by the weights of an HTTPRoute: what each instance of a release takes, times how many are admitted, is the weight of the Service that names
 * it. Both weights are one patch, and a withdrawal is one. Resolves once the gateways say that they have read it. Also rejects `INSTANCE_NOT_READY`:
 * nobody is sent to a release that is not there in full; on the way back to the one that was there before, one pod that answers is enough.
 */
export const routedTrafficOn = (sites: Sites): Traffic => fencedTraffic(sites, distribute);

/** One release of a weighing, as it is there. */
type Placed = Weighing[number] & { readonly hash: string | undefined; readonly pct: number };

async function distribute(weighing: Weighing, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const ground = await groundOf(errand);
  const all = weighing.map((one): Placed => placedIn(one, ground, site));
  const serving = all.filter(({ pct }) => pct > 0);
  if (serving.length === 0) return;
  const { own, beside, weighed } = await readEntry(site, signal);
  if (own === undefined || weighed === undefined) {
    if (all.filter(({ hash }) => hash !== undefined).length > 1) throw lost(site);
    for (const { digest, admitted } of serving) refuseSick(sideOf(ground.held, digest), admitted, ground, site);
    return;
  }
  for (const { digest, hash, pct, admitted } of serving) {
    const side = sideOf(ground.held, digest);
    if (hash === undefined || pct > (weighed.pcts[hash] ?? 0))
      refuseSick(side, side === "before" ? 1 : admitted, ground, site);
    if (hash !== own.chosen && hash !== beside?.chosen) throw unnamed(site, digest);
  }
  const weightFor = (chosen: string | undefined): number =>
    serving.reduce((sum, { hash, pct, admitted }) => (hash === chosen ? sum + pct * admitted : sum), 0);
  const now: Weights = { own: weightFor(own.chosen), beside: beside === undefined ? 0 : weightFor(beside.chosen) };
  const pcts = Object.fromEntries(all.flatMap(({ hash, pct }) => (hash === undefined ? [] : [[hash, pct]])));
  await writeRoute(errand, (_, known) => {
    if (known === undefined) throw lost(site);
    const isSame = JSON.stringify([known.now, known.pcts]) === JSON.stringify([now, pcts]);
    return isSame ? undefined : { was: known.was, now, pcts };
  });
  await taken(site, signal);
}

function placedIn(one: Weighing[number], { held, sight }: Ground, { frame }: Site): Placed {
  const side = sideOf(held, one.digest);
  const hash = side === undefined ? undefined : hashOf(held, side, sight, frame.container);
  return { ...one, hash, pct: one.admitted > 0 ? one.weightPct : 0 };
}

const unnamed = ({ api, frame }: Site, digest: string): UpgradeError =>
  new UpgradeError(
    "INSTANCE_NOT_READY",
    `no Service of ${frame.component} in ${api.context} names the pods of ${digest.slice(0, 19)} yet, so that the route cannot give them a share`,
    { hint: "look at the pods with `kubectl describe pod`, then `midflight resume`" },
  );
