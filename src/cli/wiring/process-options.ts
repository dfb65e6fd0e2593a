import { join } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { Environment, ProcessComponent, ProcessRelease } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Loaded } from "../files/load.ts";
import type { Secrets } from "./secrets.ts";

/** What the process driver is built from. */
export function processOptions(
  name: string,
  placed: ProcessComponent,
  loaded: Pick<Loaded, "releases" | "environment">,
  secrets: Secrets,
  how: { readonly stateDir: string; readonly clock: Clock },
) {
  const releases = Object.fromEntries(
    Object.entries(loaded.releases.releases).flatMap(([release, kinds]): [string, ProcessRelease][] =>
      kinds.process === undefined ? [] : [[release, kinds.process]],
    ),
  );
  const env = Object.fromEntries(
    Object.entries(placed.env).map(([key, value]) => [key, secrets.read(value, `${key} of ${name}`)]),
  );
  return {
    component: name,
    config: placed,
    env,
    releases,
    stateDir: placeOf(loaded.environment, how),
    clock: how.clock,
  };
}

/** For looking at instances alone: nothing is started, so that no release and nobody's secrets are needed. */
export function lookedAt(
  component: string,
  placed: ProcessComponent,
  environment: Environment,
  how: { readonly stateDir: string },
) {
  const config = { ...placed, env: {} };
  return { component, config, env: {}, releases: {}, stateDir: placeOf(environment, how), clock: systemClock };
}

/** Two environments may keep their state in one folder. */
const placeOf = ({ name }: Environment, { stateDir }: { readonly stateDir: string }): string =>
  join(stateDir, "processes", name);
