import type { KubernetesKind } from "../../plan/model.ts";
import type { Metadata, Pod, Template } from "./api/objects.ts";

/** Names the object for which a pod was started in the dark. */
export const DARK = "midflight.dev/dark";
/** Its place among the instances of its release. */
export const ORDINAL = "midflight.dev/ordinal";

/** What the pod stands beside, and goes with. */
export type Owner = { readonly kind: KubernetesKind; readonly metadata: Pick<Metadata, "name" | "uid"> };

export type DarkPod = {
  readonly owner: Owner;
  readonly template: Template;
  readonly digest: string;
  readonly ordinal: number;
};

/** `gateway-dark-3fa9c1-1`: the same order twice asks for the same pod. */
export const darkName = (object: string, digest: string, ordinal: number): string =>
  `${object}-dark-${digest.replace(/^sha256:/, "").slice(0, 6)}-${ordinal}`;

/**
 * A pod of its own, made from a template and reached by nobody. It carries none of the template's labels, so that no Service, ReplicaSet or
 * disruption budget takes it for one of theirs. A NetworkPolicy that lets only labelled pods through holds it up as well: then its proof
 * fails, and says why. It goes with its owner, which is no controller of it.
 */
export const darkPod = ({ owner: { kind, metadata: owner }, template, digest, ordinal }: DarkPod): PodManifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: darkName(owner.name, digest, ordinal),
    labels: { [DARK]: owner.name, [ORDINAL]: String(ordinal) },
    ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    ownerReferences: [{ apiVersion: "apps/v1", kind, name: owner.name, uid: owner.uid }],
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
