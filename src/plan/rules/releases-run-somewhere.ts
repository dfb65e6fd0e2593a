import type { Releases } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import type { EnvironmentRule, ReleasesRule } from "./rule.ts";

/** A release says for at least one driver what it runs. */
export const releasesRunSomewhere: ReleasesRule = ({ releases }) => judge(releases);

/** The same for those that an environment says itself. */
export const ownReleasesRunSomewhere: EnvironmentRule = ({ releases = {} }) => judge(releases);

const judge = (releases: Releases["releases"]): readonly Complaint[] =>
  Object.entries(releases).flatMap(([name, release]) =>
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
