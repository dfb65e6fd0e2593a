import { messageOf } from "../../../errors/message-of.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Announcement, Announcer } from "../../../ports/announcer.ts";
import { ApiFailure, upgradeErrorOf } from "../api/api-failure.ts";
import { newEvent } from "./event.ts";
import type { Metadata } from "../api/objects.ts";
import type { KubernetesOptions } from "../api/options.ts";
import { readMetadata, sitesOf } from "../site.ts";

/** When it became so, and its number in the run. */
type Mark = { readonly number: number; readonly at: number };

/** Events at the objects of a component: `kubectl describe` shows them. */
export function kubernetesAnnouncer(options: KubernetesOptions, run: string): Announcer {
  const sites = sitesOf(options);
  const ended = new AbortController();
  const { signal } = ended;
  const ways = new Map<string, Promise<void>>();
  const known = new Map<string, Promise<Metadata>>();
  let trouble: string | undefined;
  let count = 0;

  const metadataIn = (region: string): Promise<Metadata> => {
    const found = known.get(region) ?? readMetadata(sites(region), signal);
    known.set(region, found);
    return found;
  };
  const write = async (region: string, announcement: Announcement, mark: Mark): Promise<void> => {
    // A right that is missing is missing for each of them.
    if (trouble !== undefined) return;
    try {
      const { uid } = await metadataIn(region);
      const { api } = sites(region);
      const object = { ...options.config.object, uid };
      const body = newEvent({ ...announcement, object, namespace: api.namespace, run, ...mark });
      await api.send({ verb: "create", resource: "events.events.k8s.io", body }, signal);
    } catch (error) {
      trouble ??= troubleOf(error);
    }
  };
  return {
    announce(announcement) {
      for (const region of announcement.regions) {
        if (options.config.contexts[region] === undefined) continue;
        count += 1;
        const mark: Mark = { number: count, at: options.clock.now() };
        // In order, and one at a time.
        const before = ways.get(region) ?? Promise.resolve();
        ways.set(
          region,
          before.then(() => write(region, announcement, mark)),
        );
      }
    },
    async flush(limitMs) {
      const limit = options.clock.sleep(limitMs, signal).catch(() => undefined);
      await Promise.race([Promise.all(ways.values()), limit]);
      // Before the rest is broken off: that is no trouble.
      const told = trouble;
      ended.abort();
      return told;
    },
  };
}

const troubleOf = (error: unknown): string => {
  const told = error instanceof ApiFailure ? upgradeErrorOf(error, "WORKLOAD_UNREACHABLE") : error;
  if (told instanceof UpgradeError) return `${told.message}; ${told.hint}`;
  return messageOf(told);
};
