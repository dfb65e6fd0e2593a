import { mapValues } from "./map-values.ts";
import type { Environment, Releases } from "./model.ts";

/** What each release is in an environment: what releases.yaml lists, with what the environment's own file adds for its drivers. Neither contradicts the other. */
export function releasesIn(listed: Releases["releases"], own: Environment["releases"] = {}): Releases["releases"] {
  const names = Object.fromEntries(Object.keys({ ...listed, ...own }).map((name) => [name, name]));
  return mapValues(names, (name) => ({ ...listed[name], ...own[name] }));
}
