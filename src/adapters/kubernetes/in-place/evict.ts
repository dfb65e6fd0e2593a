import { messageOf } from "../../../errors/message-of.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { isFailure } from "../api/api-failure.ts";
import type { Pod } from "../api/objects.ts";
import type { Site } from "../site.ts";

/** Whether a budget allows it is asked again after this: what it waits for are other pods. */
const PAUSE_MS = 1_000;

/**
 * Asks a pod to leave by the Eviction API, which keeps to PodDisruptionBudgets as a delete does not, and waits for as long as a budget
 * allows none. Whoever is gone already is gone. Rejects `KUBERNETES_EVICTION_REFUSED` once the time for it is over.
 */
export async function evict(site: Site, { metadata, spec }: Pod, signal: AbortSignal): Promise<void> {
  const { clock, config } = site.options;
  const { name, namespace = site.api.namespace } = metadata;
  const end = clock.monotonic() + config.readyDeadlineMs;
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  for (;;) {
    try {
      await site.api.send({ verb: "create", resource: "pods", name, subresource: "eviction", body }, signal);
      return;
    } catch (error) {
      if (isFailure(error, 404)) return;
      if (!isFailure(error, 429)) throw error;
      if (clock.monotonic() >= end) throw refused(site, `${name} on node ${spec.nodeName ?? "unknown"}`, error);
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}

const refused = (site: Site, pod: string, cause: unknown): UpgradeError =>
  new UpgradeError(
    "KUBERNETES_EVICTION_REFUSED",
    `${pod} may not leave, asked for ${site.options.config.readyDeadlineMs / 1_000} s: ${messageOf(cause)}`,
    {
      hint: "look at `kubectl get poddisruptionbudgets`: get the pods ready that it counts, or let it allow one more",
      cause,
    },
  );
