import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Shape } from "../../graph/observation.ts";
import type { Sight } from "./sight.ts";
import type { Site } from "./site.ts";

/** Pods of a release that the order does not name are somebody else's. */
export function refuseStrangers({ frame }: Site, shape: Shape, { pods, dark }: Pick<Sight, "pods" | "dark">): void {
  const named = new Set(shape.releases.map(({ digest }) => digest));
  const strangers = [...pods, ...dark].filter(({ digest }) => !named.has(digest));
  if (strangers.length === 0) return;
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `${frame.component} in ${frame.region} has pods that are not of this run: ${strangers.map(({ pod, image }) => `${pod.metadata.name} (${image})`).join(", ")}`,
    { hint: "take them away, or end the other change, then `midflight resume`" },
  );
}
