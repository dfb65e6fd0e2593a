import { problemsOf } from "./issues.ts";
import { failed, type Parsed } from "./located.ts";
import type { Release, Releases } from "../plan/model.ts";
import { release, releasesDocument } from "./releases-schema.ts";
import { readSource } from "./source.ts";

/** Bytes → releases, or every problem at once. Paths stay as written. */
export function parseReleases(bytes: Uint8Array, file: string): Parsed<Releases> {
  const read = readSource(bytes, file);
  if (read.source === undefined) return failed(read.problems);
  const parsed = releasesDocument.safeParse(read.source.value);
  if (!parsed.success) return failed(problemsOf(read.source, parsed.error, [], (path) => (path.length === 0 ? ["midflight", "releases"] : path.length === 2 ? Object.keys(release.shape) : ["digest", "path", "run", "image"])));
  const releases = Object.fromEntries(Object.entries(parsed.data.releases).map(([key, one]) => [key, JSON.parse(JSON.stringify(one)) as Release]));
  return { ok: true, located: { value: { midflight: 1, file, releases }, source: read.source } };
}
