import type { Complaint } from "../source/source.ts";
import type { Releases } from "../model.ts";
import type { EnvironmentRule, PlanRule, ReleasesRule } from "./rule.ts";

/** Words that mean another release tomorrow. */
const MOVING: ReadonlySet<string> = new Set([
  "latest",
  "main",
  "master",
  "stable",
  "edge",
  "dev",
  "develop",
  "trunk",
  "nightly",
  "head",
  "current",
  "next",
  "canary",
  "beta",
  "alpha",
  "rc",
  "lts",
  "release",
  "prod",
  "production",
]);

/** A release names one version, today and tomorrow. */
export const releaseStandsStill: PlanRule = (plan) =>
  Object.entries(plan.components).flatMap(([name, { release }]) =>
    release === undefined ? [] : judge(release, ["components", name, "release"], "value"),
  );

/** The same for releases.yaml; and an image names its digest. */
export const releasesStandStill: ReleasesRule = ({ releases }) => listed(releases);

/** And for those that an environment says itself. */
export const ownReleasesStandStill: EnvironmentRule = ({ releases = {} }) => listed(releases);

const listed = (releases: Releases["releases"]): readonly Complaint[] =>
  Object.entries(releases).flatMap(([name, release]) => [
    ...judge(name, ["releases", name], "key"),
    ...(release.kubernetes === undefined || /@sha256:[0-9a-f]{64}$/.test(release.kubernetes.image)
      ? []
      : [
          {
            code: "RELEASE_MOVING",
            message: `the image of ${name} names no digest, so it can change under the same name`,
            path: ["releases", name, "kubernetes", "image"],
            hint: "write registry/name@sha256:…",
          },
        ]),
  ]);

function judge(release: string, path: readonly string[], at: "key" | "value"): readonly Complaint[] {
  const [, version] = release.split("@");
  if (version === undefined)
    return [
      {
        code: "RELEASE_MOVING",
        message: `"${release}" names no version`,
        path,
        at,
        hint: `write a version, such as ${release}@2.0`,
      },
    ];
  if (!MOVING.has(version.toLowerCase())) return [];
  return [
    {
      code: "RELEASE_MOVING",
      message: `"${version}" is a tag that moves: it means another release tomorrow`,
      path,
      at,
      hint: "name the version that was certified",
    },
  ];
}
