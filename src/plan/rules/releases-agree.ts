import type { Problem } from "../../errors/problem.ts";
import type { Release } from "../model.ts";
import { problemAt } from "../source/source.ts";
import type { TogetherRule } from "./rule.ts";

/** A release is one thing for a driver: what an environment adds to releases.yaml does not say otherwise. */
export const releasesAgree: TogetherRule = ({ environment, releases }) => {
  if (environment === undefined || releases === undefined) return [];
  return Object.entries(environment.value.releases ?? {}).flatMap(([name, own]): readonly Problem[] => {
    const listed = releases.value.releases[name];
    if (listed === undefined) return [];
    return DRIVERS.flatMap((driver) => {
      const differing = differences(told(own, driver), told(listed, driver));
      if (differing.length === 0) return [];
      const message = `${name} has another ${differing.join(" and another ")} for the driver ${driver} here than in ${releases.value.file}`;
      const hint = "say it in one of the two files; what is another thing is another version";
      return [
        problemAt(environment.source, {
          code: "RELEASE_CONTRADICTED",
          message,
          path: ["releases", name, driver],
          at: "key",
          hint,
        }),
      ];
    });
  });
};

const DRIVERS = ["process", "command", "kubernetes"] as const;

type Told = Readonly<Record<string, string | undefined>>;

/** Without the folder of a process: seen from two files, it has two paths, and its digest tells whether it is the same. */
function told(release: Release, driver: (typeof DRIVERS)[number]): Told | undefined {
  switch (driver) {
    case "process":
      return release.process && { digest: release.process.digest, run: JSON.stringify(release.process.run) };
    case "command":
      return release.command && { digest: release.command.digest };
    case "kubernetes":
      return (
        release.kubernetes && {
          image: release.kubernetes.image,
          ...Object.fromEntries(
            Object.entries(release.kubernetes.config ?? {}).map(([name, digest]) => [`config ${name}`, digest]),
          ),
        }
      );
  }
}

/** Of one who says nothing, nothing differs. */
const differences = (a: Told | undefined, b: Told | undefined): readonly string[] =>
  a === undefined || b === undefined
    ? []
    : [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
