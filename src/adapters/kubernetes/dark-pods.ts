import { UpgradeError } from "../../errors/upgrade-error.ts";
import { isFailure } from "./api/api-failure.ts";
import { darkName, darkPod, type Owner } from "./dark-pod.ts";
import type { Variant } from "./hold.ts";
import type { DarkWanted } from "./judge.ts";
import type { Pod } from "./api/objects.ts";
import { endPods } from "./end-pods.ts";
import type { SeenPod } from "./sight.ts";
import type { Site } from "./site.ts";

export const darkWanted = ({ frame }: Site, digest: string, ordinal: number): DarkWanted => ({
  digest,
  ordinal,
  name: darkName(frame.object, digest, ordinal),
});

/** Starts a pod in the dark. One of that name that is there already is the one. Rejects `INSTANCE_NOT_READY` while one of that name is leaving. */
export async function startDark(
  { site, owner, signal }: { readonly site: Site; readonly owner: Owner["metadata"]; readonly signal: AbortSignal },
  { template, digest }: Variant,
  { ordinal, name }: DarkWanted,
): Promise<void> {
  const { kind } = site.options.config.object;
  const body = darkPod({ owner: { kind, metadata: owner }, template, digest, ordinal });
  try {
    await site.api.send({ verb: "create", resource: "pods", body }, signal);
  } catch (error) {
    if (!isFailure(error, 409)) throw error;
    const { metadata } = await site.api.send<Pod>({ verb: "get", resource: "pods", name }, signal);
    if (metadata.deletionTimestamp === undefined) return;
    throw new UpgradeError("INSTANCE_NOT_READY", `${name}: the one before it has not left yet`, {
      hint: "wait until it is gone, then try again",
    });
  }
}

/** From SIGTERM to SIGKILL. Pods in the dark have no user to say goodbye to, and those that were withdrawn fail whoever they keep. */
const GRACE_S = 1;

/** Tells pods to leave at once. Whoever is gone already is gone. */
export const removePods = (site: Site, pods: readonly SeenPod[], signal: AbortSignal): Promise<void> =>
  endPods(
    site,
    pods.map(({ pod }) => pod.metadata.name),
    signal,
    GRACE_S,
  );
