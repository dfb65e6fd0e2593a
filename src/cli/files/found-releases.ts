import { dirname, resolve } from "node:path";
import { mapValues } from "../../plan/map-values.ts";
import type { Environment, Releases } from "../../plan/model.ts";
import { releasesIn } from "../../plan/releases-in.ts";

/** What releases are in an environment, with their folders as seen from the files that say them. Both files are absolute. */
export const foundReleases = (
  environment: Environment,
  releases: Releases,
  files: { readonly environment: string; readonly releases: string },
): Releases => ({
  ...releases,
  releases: releasesIn(
    placedFrom(files.releases, releases.releases),
    placedFrom(files.environment, environment.releases ?? {}),
  ),
});

const placedFrom = (file: string, releases: Releases["releases"]): Releases["releases"] =>
  mapValues(releases, (release) =>
    release.process === undefined
      ? release
      : { ...release, process: { ...release.process, path: resolve(dirname(file), release.process.path) } },
  );
