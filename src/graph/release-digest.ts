import type { KubernetesRelease } from "../plan/model.ts";
import { canonicalJson } from "./fingerprint.ts";

/**
 * What a release of pods is. Two registries may hold the same image, so its digest is what runs; with config it is a digest over both, so that
 * other config makes another release of the same image. Undefined: the image names no digest.
 */
export function kubernetesDigest(
  { image, config = {} }: KubernetesRelease,
  sha256: (text: string) => string,
): string | undefined {
  const digest = image.split("@")[1];
  if (digest === undefined || Object.keys(config).length === 0) return digest;
  return `sha256:${sha256(canonicalJson({ image: digest, config }))}`;
}
