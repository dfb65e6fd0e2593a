import { UpgradeError } from "../../errors/upgrade-error.ts";
import { kubernetesDigest } from "../../graph/release-digest.ts";
import type { KubernetesRelease } from "../../plan/model.ts";
import { checkConfig } from "./config-check.ts";
import { releaseDigest, sha256, withConfig } from "./config.ts";
import { historyOf } from "./history.ts";
import type { Held, Variant } from "./hold.ts";
import type { Template } from "./api/objects.ts";
import { otherOf, type Side } from "./placement.ts";
import type { Inside, SeenPod, Sight } from "./sight.ts";
import { objectText, type Site } from "./site.ts";
import { containerIn, digestIn, templatesIn, withImage } from "./template.ts";

/** The template that a Deployment has now, with the digest of what it runs. */
export const presentVariant = ({ deployment, pods }: Sight, inside: Inside): Variant =>
  variantNow(deployment.spec.template, pods, inside);

export function variantNow(template: Template, pods: readonly SeenPod[], inside: Inside): Variant {
  const image = imageOf(template, inside.container);
  // A tag says nothing; the node that pulled it knows.
  const digest = templateDigest(template, inside) ?? pods.find((seen) => seen.image === image)?.digest ?? "?";
  return { digest, template };
}

/** Of the release that a template runs; undefined where it names its image by a tag. */
export const templateDigest = (template: Template, { container, configured }: Inside): string | undefined =>
  releaseDigest(digestIn(imageOf(template, container)), template.spec, configured);

export const imageOf = (template: Template, container: string): string =>
  containerIn(template.spec, container)?.image ?? "";

type Sides = Pick<Held, "before" | "after">;

/** Which of the two templates of a held Deployment a release is. */
export const sideOf = (held: Sides, digest: string): Side | undefined => {
  if (held.before.digest === digest) return "before";
  return held.after?.digest === digest ? "after" : undefined;
};

/** Pods of one of the two templates: they differ in the image, or in the config that they read. */
export function podsOf(held: Sides, side: Side, { pods }: Pick<Sight, "pods">, container: string): readonly SeenPod[] {
  const [own, other] = [held[side], held[otherOf(side)]];
  if (own === undefined) return [];
  const ownImage = imageOf(own.template, container);
  const isSameImage = other !== undefined && imageOf(other.template, container) === ownImage;
  return pods.filter(({ image, digest }) => image === ownImage && (!isSameImage || digest === own.digest));
}

export type Search = { readonly held: Held; readonly digest: string; readonly isBack: boolean };

/**
 * The template of a release. What runs or ran under this hold is known to the last field. On the way back the Deployment's own history is asked:
 * it keeps the template as it was. Anything else is the template of before with the release's image and config in it.
 * Rejects: `RELEASE_DIGEST_MISMATCH`, `RELEASE_CONFIG_MISMATCH`.
 */
export const variantOf = (
  site: Site,
  { held, digest, isBack }: Search,
  sight: Sight,
  signal: AbortSignal,
): Promise<Variant> =>
  variantFor(
    site,
    {
      held,
      digest,
      past: async () => (isBack ? templatesIn(await historyOf(site, sight.deployment, signal)) : []),
    },
    signal,
  );

/** `past`: templates that were there once, the newest first. */
export async function variantFor(
  site: Site,
  {
    held,
    digest,
    past,
  }: { readonly held: Sides; readonly digest: string; readonly past: () => Promise<readonly Template[]> },
  signal: AbortSignal,
): Promise<Variant> {
  const known = [held.before, held.after].find((variant) => variant?.digest === digest);
  if (known !== undefined) return known;
  const kept = (await past()).find((template) => templateDigest(template, site.frame) === digest);
  if (kept !== undefined) return { digest, template: kept };
  const release = Object.values(site.options.releases).find((one) => kubernetesDigest(one, sha256) === digest);
  if (release !== undefined)
    return { digest, template: await templateFor(site, held.before.template, release, signal) };
  throw unknown(site, digest);
}

async function templateFor(
  site: Site,
  template: Template,
  { image, config = {} }: KubernetesRelease,
  signal: AbortSignal,
): Promise<Template> {
  await checkConfig(site, template, config, signal);
  return withConfig(withImage(template, site.frame.container, image), config);
}

const unknown = (site: Site, digest: string): UpgradeError =>
  new UpgradeError(
    "RELEASE_DIGEST_MISMATCH",
    `nothing says which image ${digest} of ${site.frame.component} is: releases.yaml does not, and ${objectText(site)} in ${site.api.context} keeps no template with it`,
    { hint: "name the image of this release under `kubernetes` in releases.yaml" },
  );
