import { UpgradeError } from "../../errors/upgrade-error.ts";
import { historyOf } from "./history.ts";
import type { Held, Variant } from "./hold.ts";
import type { Template } from "./objects.ts";
import type { Side } from "./placement.ts";
import type { SeenPod, Sight } from "./sight.ts";
import type { Site } from "./site.ts";
import { containerIn, digestIn, templatesIn, withImage } from "./template.ts";

/** The template that a Deployment has now, with the digest of what it runs. */
export function presentVariant({ deployment, pods }: Sight, container: string): Variant {
  const { template } = deployment.spec;
  const image = imageOf(template, container);
  // A tag says nothing; the node that pulled it knows.
  const digest = digestIn(image) ?? pods.find((seen) => seen.image === image)?.digest ?? "?";
  return { digest, template };
}

export const imageOf = (template: Template, container: string): string =>
  containerIn(template.spec, container)?.image ?? "";

/** Which of the two templates of a held Deployment a release is. */
export const sideOf = (held: Held, digest: string): Side | undefined => {
  if (held.before.digest === digest) return "before";
  return held.after?.digest === digest ? "after" : undefined;
};

/** Pods of one of the two templates: they differ in the image at least. */
export const podsOf = (held: Held, side: Side, { pods }: Sight, container: string): readonly SeenPod[] => {
  const template = held[side]?.template;
  return template === undefined ? [] : pods.filter(({ image }) => image === imageOf(template, container));
};

export type Search = { readonly held: Held; readonly digest: string; readonly isBack: boolean };

/**
 * The template of a release. What runs or ran under this hold is known to the last field. On the way back the Deployment's own history is asked:
 * it keeps the template as it was. Anything else is the template of before with the release's image in it.
 * Rejects: `RELEASE_DIGEST_MISMATCH`.
 */
export async function variantOf(
  site: Site,
  { held, digest, isBack }: Search,
  sight: Sight,
  signal: AbortSignal,
): Promise<Variant> {
  const known = [held.before, held.after].find((variant) => variant?.digest === digest);
  if (known !== undefined) return known;
  const { container } = site.frame;
  const past = isBack ? templatesIn(await historyOf(site, sight.deployment, signal)) : [];
  const kept = past.find((template) => digestIn(imageOf(template, container)) === digest);
  if (kept !== undefined) return { digest, template: kept };
  const image = Object.values(site.options.releases).find((release) => digestIn(release.image) === digest)?.image;
  if (image !== undefined) return { digest, template: withImage(held.before.template, container, image) };
  throw new UpgradeError(
    "RELEASE_DIGEST_MISMATCH",
    `nothing says which image ${digest} of ${site.frame.component} is: releases.yaml does not, and deployment ${site.frame.deployment} in ${site.api.context} keeps no template with it`,
    { hint: "name the image of this release under `kubernetes` in releases.yaml" },
  );
}
