import type { Deployment, Pod, Template } from "./objects.ts";

/** Names the Deployment for which a pod was started in the dark. */
export const DARK = "midflight.dev/dark";
/** Its place among the instances of its release. */
export const ORDINAL = "midflight.dev/ordinal";

export type DarkPod = {
  readonly deployment: Deployment;
  readonly template: Template;
  readonly digest: string;
  readonly ordinal: number;
};

/** `gateway-dark-3fa9c1-1`: the same order twice asks for the same pod. */
export const darkName = (deployment: string, digest: string, ordinal: number): string =>
  `${deployment}-dark-${digest.replace(/^sha256:/, "").slice(0, 6)}-${ordinal}`;

/**
 * A pod of its own, made from a template and reached by nobody. It carries none of the template's labels, so that no Service, ReplicaSet or
 * disruption budget takes it for one of theirs. A NetworkPolicy that lets only labelled pods through holds it up as well: then its proof
 * fails, and says why. It goes with its Deployment.
 */
export const darkPod = ({ deployment, template, digest, ordinal }: DarkPod): PodManifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: darkName(deployment.metadata.name, digest, ordinal),
    labels: { [DARK]: deployment.metadata.name, [ORDINAL]: String(ordinal) },
    ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "Deployment", name: deployment.metadata.name, uid: deployment.metadata.uid },
    ],
  },
  spec: template.spec,
});

export type PodManifest = {
  readonly apiVersion: "v1";
  readonly kind: "Pod";
  readonly metadata: Pick<Pod["metadata"], "name" | "labels" | "annotations"> & {
    readonly ownerReferences: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    }[];
  };
  readonly spec: Template["spec"];
};
