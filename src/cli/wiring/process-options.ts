import { join } from "node:path";
import type { ProcessComponent, ProcessRelease } from "../../plan/model.ts";
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
    // Two environments may keep their state in one folder.
    stateDir: join(how.stateDir, "processes", loaded.environment.name),
    clock: how.clock,
  };
}
