import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Weighing } from "../../../graph/observation.ts";
import type { Traffic } from "../../../ports/traffic.ts";
import type { Side } from "../placement.ts";
import { groundOf, type Ground } from "../roll.ts";
import type { Site, Sites } from "../site.ts";
import type { Errand } from "../under-fence.ts";
import { podsOf, sideOf } from "../variant.ts";
import { fencedTraffic } from "./fenced-ports.ts";
import { readPinned } from "./selector.ts";
import { sideNamed } from "./sides.ts";
import { switchTo } from "./workload-switched.ts";

/**
 * Whom the Service names. All users are switched in one patch, and back in one: pods stay where they are, in the Service or out of it. A connection
 * that stands stays with its pod until that pod drains. Also rejects `INSTANCE_NOT_READY`: nobody is sent to a release that is not there in full;
 * on the way back to the one that was there before, one pod that answers is enough.
 */
export const switchedTrafficOn = (sites: Sites): Traffic => fencedTraffic(sites, distribute);

async function distribute(weighing: Weighing, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const wanted = soleIn(weighing);
  if (wanted === undefined) return;
  const ground = await groundOf(errand);
  const { container } = site.frame;
  const side = sideOf(ground.held, wanted.digest);
  const pinned = await readPinned(site, signal);
  if (side === undefined || (pinned === undefined && isAlone(side, ground, container))) {
    refuseSick(side, wanted.admitted, ground, site);
    return;
  }
  if (pinned === undefined) throw lost(site);
  const isBack = side === "before" && sideNamed(ground.held, pinned.chosen, ground.sight, container) !== side;
  refuseSick(side, isBack ? 1 : wanted.admitted, ground, site);
  await switchTo(side, ground, errand);
}

/** The release that takes the users; undefined where none does. Throws `DRIVER_CANNOT` for anything but all or nothing. */
function soleIn(weighing: Weighing): Weighing[number] | undefined {
  const serving = weighing.filter(({ admitted, weightPct }) => admitted > 0 && weightPct > 0);
  const share = serving.find(({ weightPct }) => weightPct < 100);
  if (serving.length <= 1 && share === undefined) return serving[0];
  throw new UpgradeError(
    "DRIVER_CANNOT",
    `a Service's selector names one release, and ${serving.map(({ digest, weightPct }) => `${digest.slice(0, 19)} should take ${weightPct}%`).join(", ")}`,
    { hint: "write `shares: [100%]` in the plan: all users are switched at once" },
  );
}

const isAlone = (side: Side, { held, sight }: Ground, container: string): boolean =>
  podsOf(held, side, sight, container).length === sight.pods.length;

export function refuseSick(side: Side | undefined, least: number, { held, sight }: Ground, { frame }: Site): void {
  const pods = side === undefined ? [] : podsOf(held, side, sight, frame.container);
  const sick = pods.filter(({ isReady }) => !isReady);
  if (pods.length - sick.length >= least) return;
  const names = sick.map(({ pod }) => pod.metadata.name).join(", ");
  throw new UpgradeError(
    "INSTANCE_NOT_READY",
    `${pods.length - sick.length} of ${least} pods in ${frame.region} that users shall be sent to are ready${names === "" ? "" : `; not ready: ${names}`}`,
    { hint: "look at the pods with `kubectl describe pod` and `kubectl logs`" },
  );
}

const lost = ({ api, options }: Site): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `service ${options.config.service} in ${api.context} names no release any more, while pods of two are there: somebody took its record away`,
    { hint: "`midflight rollback` puts the old release back, or free it with `midflight release-hold`" },
  );
