import { didYouMean } from "../nearest.ts";
import type { Rule } from "./together.ts";

const MOVING = new Set(["latest", "main", "master", "stable", "edge", "head", "nightly", "current", "prod", "production"]);

/** A release is a name and a version that never moves. */
export const releaseStandsStill: Rule = ({ plan }) =>
  Object.entries(plan.value.components).flatMap(([name, { release }]) => {
    if (release === undefined) return [];
    const [, version] = release.split("@");
    const path = ["components", name, "release"];
    if (version === undefined || version === "") return [plan.source.problem("no-version", path, `\`${release}\` names no version`, { hint: "write name@version" })];
    return MOVING.has(version.toLowerCase()) ? [plan.source.problem("moving-tag", path, `\`${version}\` is a tag that moves`, { hint: "name a version that always means the same" })] : [];
  });

/** Every release of the plan has a digest for the driver that runs it. */
export const releaseIsKnown: Rule = ({ plan, environment, releases }) => {
  if (releases === undefined) return [];
  const known = Object.keys(releases.value.releases);
  return Object.entries(plan.value.components).flatMap(([name, { release }]) => {
    if (release === undefined) return [];
    const found = releases.value.releases[release];
    const path = ["components", name, "release"];
    if (found === undefined) return [plan.source.problem("unknown-release", path, `${releases.value.file} has no \`${release}\``, { hint: didYouMean(release, known) })];
    const driver = environment?.value.components[name]?.driver;
    if ((driver === "process" && found.process === undefined) || (driver === "command" && found.command === undefined)) {
      return [releases.source.problem("no-digest", ["releases", release], `\`${release}\` has no digest for driver \`${driver}\`, which runs it in ${environment?.value.name ?? ""}`, { hint: `add \`${driver}: { digest: … }\`` })];
    }
    return [];
  });
};
