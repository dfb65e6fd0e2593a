import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment, Releases } from "../../plan/model.ts";
import { regionsOf } from "../../plan/regions-of.ts";
import type { Holds } from "../../ports/holds.ts";
import { inKubernetes, optionsOf } from "./kubernetes.ts";
import { Secrets } from "./secrets.ts";

export type WiredHolds = {
  readonly component: string;
  readonly regions: readonly string[];
  readonly holds: Holds;
};

export type HoldsOrder = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What releases are: a release that is more than its image is told apart by it, and called by its name. */
  readonly releases: Releases["releases"];
};

/** Those of the named components whose driver holds what it upgrades. Throws `SECRET_MISSING`. */
export async function wireHolds(
  environment: Environment,
  names: readonly string[],
  { env, releases }: HoldsOrder,
): Promise<readonly WiredHolds[]> {
  const placed = inKubernetes(environment, names);
  if (placed.length === 0) return [];
  const { kubernetesHolds } = await import("../../adapters/kubernetes/beside/holds.ts");
  const secrets = new Secrets(env, dirname(environment.file));
  return placed.map(({ component, config }) => ({
    component,
    regions: regionsOf(environment, config),
    holds: kubernetesHolds(optionsOf({ component, config, releases, secrets, clock: systemClock })),
  }));
}
