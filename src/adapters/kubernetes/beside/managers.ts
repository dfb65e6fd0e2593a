import type { KubernetesObject } from "../../../plan/model.ts";
import type { Autoscaler, Metadata } from "../api/objects.ts";

/** Somebody else who writes to a Deployment by himself, and how he is told to wait. */
export type Manager = { readonly name: string; readonly pause: string };

/** Who put a Deployment there and may put it back: told by the labels and annotations that they leave. */
export function managersOf({
  labels = {},
  annotations = {},
}: Pick<Metadata, "labels" | "annotations">): readonly Manager[] {
  const argo = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0] ?? labels["argocd.argoproj.io/instance"];
  const kustomization = labels["kustomize.toolkit.fluxcd.io/name"];
  const fluxRelease = labels["helm.toolkit.fluxcd.io/name"];
  const helmRelease = annotations["meta.helm.sh/release-name"];
  return [
    ...(argo === undefined
      ? []
      : [{ name: `the Argo CD application ${argo}`, pause: `argocd app set ${argo} --sync-policy none` }]),
    ...(kustomization === undefined
      ? []
      : [
          {
            name: `the Flux kustomization ${kustomization}`,
            pause: `flux suspend kustomization ${kustomization}${inNamespace(labels["kustomize.toolkit.fluxcd.io/namespace"])}`,
          },
        ]),
    ...(fluxRelease === undefined
      ? []
      : [
          {
            name: `the Flux Helm release ${fluxRelease}`,
            pause: `flux suspend helmrelease ${fluxRelease}${inNamespace(labels["helm.toolkit.fluxcd.io/namespace"])}`,
          },
        ]),
    // Flux leaves Helm's own marks too; by itself Helm changes nothing until somebody runs it.
    ...(helmRelease === undefined || fluxRelease !== undefined
      ? []
      : [{ name: `the Helm release ${helmRelease}`, pause: `let nobody run helm upgrade ${helmRelease} meanwhile` }]),
  ];
}

/** Autoscalers of one object. */
export const scalersOf = (object: KubernetesObject, autoscalers: readonly Autoscaler[]): readonly Manager[] =>
  autoscalers
    .filter(({ spec }) => spec.scaleTargetRef.kind === object.kind && spec.scaleTargetRef.name === object.name)
    .map(({ metadata }) => ({
      name: `the HorizontalPodAutoscaler ${metadata.name}`,
      pause: `set its minReplicas and maxReplicas to the present number until the upgrade is over`,
    }));

const inNamespace = (namespace: string | undefined): string => (namespace === undefined ? "" : ` -n ${namespace}`);
