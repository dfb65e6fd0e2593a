import type { Problem } from "../../errors/problem.ts";
import { suggest } from "../nearest.ts";
import { releasesIn } from "../releases-in.ts";
import { problemAt } from "../source/source.ts";
import type { Together, TogetherRule } from "./rule.ts";

/** releases.yaml says what the plan's releases are, for the driver that is to run them. */
export const releaseKnown: TogetherRule = (given) =>
  Object.keys(given.plan.value.components).flatMap((name) => judge(given, name));

function judge({ plan, environment, releases }: Together, name: string): readonly Problem[] {
  const release = plan.value.components[name]?.release;
  if (release === undefined || releases === undefined || !release.includes("@")) return [];
  const known = releasesIn(releases.value.releases, environment?.value.releases);
  if (!Object.hasOwn(known, release)) {
    const hint = suggest(release, Object.keys(known)) ?? `add it to ${releases.value.file}`;
    return [
      problemAt(plan.source, {
        code: "RELEASE_UNKNOWN",
        message: `${releases.value.file} does not know ${release}`,
        path: ["components", name, "release"],
        hint,
      }),
    ];
  }
  const driver = environment?.value.components[name]?.driver;
  if (driver === undefined || driver === "postgres" || known[release]?.[driver] !== undefined) return [];
  const isListed = Object.hasOwn(releases.value.releases, release);
  return [
    problemAt(isListed ? releases.source : (environment?.source ?? releases.source), {
      code: "RELEASE_UNKNOWN",
      message: `${release} says nothing for the driver ${driver}, which runs ${name} in ${environment?.value.name ?? "the environment"}`,
      path: ["releases", release],
      at: "key",
      hint: `add \`${driver}\` with its digest, here or under \`releases\` in ${environment?.value.file ?? "the environment file"}`,
    }),
  ];
}
