import type { ReleasesRule } from "./rule.ts";

/** A release says for at least one driver what it runs. */
export const releasesRunSomewhere: ReleasesRule = (releases) =>
  Object.entries(releases.releases).flatMap(([name, release]) =>
    Object.keys(release).length > 0
      ? []
      : [
          {
            code: "RELEASE_UNKNOWN",
            message: `${name} says for no driver what it runs`,
            path: ["releases", name],
            at: "key" as const,
            hint: "add `process`, `command` or `kubernetes`",
          },
        ],
  );
