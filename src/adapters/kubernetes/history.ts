import { isFailure } from "./api/api-failure.ts";
import { isOwnedBy, type Deployment, type Listed, type ReplicaSet } from "./api/objects.ts";
import { annotationPath } from "./api/patch.ts";
import { HELD } from "./hold.ts";
import { sourcesOf, type Site } from "./site.ts";

/** The ReplicaSets of a Deployment, those of old templates too. */
export async function historyOf(
  site: Site,
  deployment: Deployment,
  signal: AbortSignal,
): Promise<readonly ReplicaSet[]> {
  const { query } = sourcesOf(site.options.config, deployment).pods;
  const { items = [] } = await site.api.send<Listed<ReplicaSet>>(
    { verb: "list", resource: "replicasets", query },
    signal,
  );
  return items.filter((one) => isOwnedBy(one, deployment));
}

/**
 * The Deployment's controller copies its annotations to its ReplicaSets, and takes none away again: `kubectl rollout undo` would bring an old
 * record back with an old template. Whoever may not write to ReplicaSets leaves it there. `names`: annotations of ours.
 */
export async function cleanHistory(
  site: Site,
  deployment: Deployment,
  signal: AbortSignal,
  names: readonly string[] = [HELD],
): Promise<void> {
  const sets = await historyOf(site, deployment, signal);
  await Promise.all(
    sets.map(async ({ metadata: { name, annotations = {} } }) => {
      const body = names
        .filter((one) => annotations[one] !== undefined)
        .map((one) => ({ op: "remove", path: annotationPath(one) }));
      if (body.length === 0) return;
      await site.api
        .send({ verb: "patch", resource: "replicasets", name, body }, signal)
        .catch((error: unknown) => (isHarmless(error) ? undefined : Promise.reject(error)));
    }),
  );
}

/** Forbidden, gone, or cleaned by somebody else. */
const isHarmless = (error: unknown): boolean => [403, 404, 409, 422].some((status) => isFailure(error, status));
