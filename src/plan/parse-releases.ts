import type { Parsed } from "./located.ts";
import type { Releases } from "./model.ts";
import { parseFile, type Format, type Input } from "./parse-file.ts";
import { releasesSchema } from "./schema/releases-schema.ts";
import { toReleases } from "./to-releases.ts";

const RELEASES: Format<typeof releasesSchema, Releases> = {
  kind: "releases",
  schema: releasesSchema,
  build: toReleases,
};

/** Its shape only. Paths stay as written. */
export const parseReleases = (input: Input, file: string): Parsed<Releases> => parseFile(RELEASES, input, file);
