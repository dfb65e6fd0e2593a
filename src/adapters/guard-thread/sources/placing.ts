import type { WatchedInstance } from "../../../ports/watcher.ts";
import type { Place } from "./sum-counts.ts";

/** What a count says of where it comes from; absent ones are undefined or empty. */
export type Said = Readonly<Partial<Record<"region" | "release" | "instance", string | undefined>>>;

/** `elsewhere`: in a region that the source does not tell of. `nowhere`: no region can be told. `instance`: where it is one that is watched. */
export type Placed =
  | { readonly kind: "here"; readonly place: Place; readonly instance?: string }
  | { readonly kind: "elsewhere" }
  | { readonly kind: "nowhere" };

/** Tells whose operations a count holds. */
export type Placing = (said: Said) => Placed;

/** By the instances that are watched now. What cannot be told for certain is of the unknown side. */
export const placing = (instances: readonly WatchedInstance[], regions: readonly string[]): Placing => {
  const byName = Map.groupBy(
    instances.flatMap((instance) => [instance.id, hostOf(instance.url)].map((name) => ({ name, instance }))),
    ({ name }) => name,
  );

  /** The one instance of that name. A region that is no word of ours leaves only addresses to go by. */
  const instanceOf = (name: string, region: string | undefined): WatchedInstance | undefined => {
    const all = (byName.get(name) ?? []).map(({ instance }) => instance);
    const fitting = !isSaid(region)
      ? all
      : all.filter((instance) =>
          regions.includes(region) ? instance.region === region : hostOf(instance.url) === name,
        );
    return fitting.length === 1 ? fitting[0] : undefined;
  };

  return ({ region, release, instance }) => {
    const named = isSaid(instance) ? instanceOf(instance, region) : undefined;
    if (named !== undefined)
      return regions.includes(named.region)
        ? { kind: "here", place: placeOf(named), instance: named.id }
        : { kind: "elsewhere" };
    const where = isSaid(region) ? region : regions.length === 1 ? regions[0] : undefined;
    if (where === undefined) return { kind: "nowhere" };
    if (!regions.includes(where)) return { kind: "elsewhere" };
    const there = instances.filter((candidate) => candidate.region === where);
    return { kind: "here", place: byRelease(there, where, release) };
  };
};

const isSaid = (text: string | undefined): text is string => text !== undefined && text !== "";

const placeOf = ({ region, release, side, inTraffic }: WatchedInstance): Place => ({
  region,
  release,
  side,
  isExposed: inTraffic,
});

const byRelease = (there: readonly WatchedInstance[], region: string, release: string | undefined): Place => {
  if (!isSaid(release)) return { region, release: "unknown", side: "unknown" };
  const members = there.filter((candidate) => candidate.release === release || versionOf(candidate) === release);
  const [first] = members;
  if (first === undefined || members.some((member) => member.side !== first.side || member.release !== first.release))
    return { region, release, side: "unknown" };
  return { region, release: first.release, side: first.side, isExposed: members.some(({ inTraffic }) => inTraffic) };
};

/** `gateway@2.0` → `2.0`. */
const versionOf = ({ release }: WatchedInstance): string => release.slice(release.indexOf("@") + 1);

/** Host and port, as a label has them: also the port that goes without saying in a URL. */
const hostOf = (url: string): string => {
  if (!URL.canParse(url)) return url;
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === "" ? (protocol === "https:" ? "443" : "80") : port}`;
};
