import { darkWanted } from "../dark-pods.ts";
import type { Variant } from "../hold.ts";
import { isIt, type DarkWanted } from "../judge.ts";
import type { PodSet } from "../api/objects.ts";
import type { Site } from "../site.ts";
import type { SetSight } from "./set-site.ts";

/**
 * The template of a pod that stands in for those to come. What a StatefulSet would claim for each of its pods is an empty volume here: whoever
 * proves itself with it proves the image, the config and the template, and not what lies on a volume.
 */
export function standInOf({ digest, template }: Variant, { spec }: PodSet): Variant {
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({ name: metadata.name, emptyDir: {} }));
  if (claims.length === 0) return { digest, template };
  const volumes = [...(template.spec.volumes ?? []), ...claims];
  return { digest, template: { ...template, spec: { ...template.spec, volumes } } };
}

/** Those of a release whose place among its instances is beyond `from`, up to `to`. */
export const standInsFor = (site: Site, digest: string, from: number, to: number): readonly DarkWanted[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => darkWanted(site, digest, from + index + 1));

export const missingIn = ({ dark }: SetSight, wanted: readonly DarkWanted[]): readonly DarkWanted[] =>
  wanted.filter((one) => !dark.some((seen) => isIt(seen, one)));
