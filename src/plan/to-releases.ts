import { defined } from "./defined.ts";
import { mapValues } from "./map-values.ts";
import type { Release, Releases } from "./model.ts";
import type { ReleasesInput } from "./schema/releases-schema.ts";

export const toReleases = (input: ReleasesInput, file: string): Releases => ({
  midflight: input.midflight,
  file,
  releases: mapValues(input.releases, (release) => toRelease(release)),
});

/** One of them, also where an environment says it. */
export const toRelease = (input: ReleasesInput["releases"][string]): Release =>
  defined({
    process: input.process,
    command: input.command,
    kubernetes: input.kubernetes === undefined ? undefined : defined(input.kubernetes),
  });
