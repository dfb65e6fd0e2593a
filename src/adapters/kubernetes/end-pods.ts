import { unlessAbsent } from "./api/api-failure.ts";
import type { Site } from "./site.ts";

/** Deletes pods. Whoever is gone already is gone. `graceSec`: from SIGTERM to SIGKILL, if not what they state themselves. */
export async function endPods(
  { api }: Pick<Site, "api">,
  names: readonly string[],
  signal: AbortSignal,
  graceSec?: number,
): Promise<void> {
  const query = graceSec === undefined ? {} : { query: { gracePeriodSeconds: String(graceSec) } };
  await Promise.all(
    names.map((name) => unlessAbsent(api.send({ verb: "delete", resource: "pods", name, ...query }, signal))),
  );
}
