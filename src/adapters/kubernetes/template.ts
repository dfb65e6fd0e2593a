import type { Container, ReplicaSet, Template } from "./api/objects.ts";

/** The label by which the Deployment controller tells its ReplicaSets apart. No part of what somebody wrote. */
export const TEMPLATE_HASH = "pod-template-hash";

/** `sha256:…` of an image reference; undefined when it names a tag only. */
export const digestIn = (image: string | undefined): string | undefined =>
  /sha256:[0-9a-f]{64}$/.exec(image ?? "")?.[0];

export const containerIn = (spec: { readonly containers: readonly Container[] }, name: string): Container | undefined =>
  spec.containers.find((container) => container.name === name);

/** The same template with another image in one container. */
export const withImage = (template: Template, container: string, image: string): Template => ({
  ...template,
  spec: {
    ...template.spec,
    containers: template.spec.containers.map((one) => (one.name === container ? { ...one, image } : one)),
  },
});

/** What a Deployment's own history keeps: the exact template of each of its ReplicaSets, the newest first. */
export function templatesIn(replicaSets: readonly ReplicaSet[]): readonly Template[] {
  return replicaSets.toSorted((a, b) => revisionOf(b) - revisionOf(a)).map(({ spec }) => withoutHash(spec.template));
}

const revisionOf = ({ metadata }: ReplicaSet): number =>
  Number(metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);

function withoutHash(template: Template): Template {
  const { [TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
