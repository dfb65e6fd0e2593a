import type { EnvironmentComponent, KubernetesKind } from "./model.ts";

/** Whether a new instance takes the place of an old one, so that none can stand beside it. */
export const isInPlace = (placed: EnvironmentComponent | undefined): boolean =>
  placed?.driver === "kubernetes" && isReplacing(placed.object.kind);

/** Whether a target brings an instance itself when it is admitted, ready and in traffic, so that none has to wait for it in the dark. */
export const isBroughtByAdmission = (placed: EnvironmentComponent | undefined): boolean =>
  placed?.driver === "kubernetes" && !isReplacing(placed.object.kind) && !isSwitched(placed);

/** Whether users are moved from one full set of instances to another one: all at once, or by shares of them. */
export const isSwitched = (placed: EnvironmentComponent | undefined): boolean =>
  placed?.driver === "kubernetes" && placed.traffic !== undefined;

/** A Deployment brings pods beside the old ones; a StatefulSet has a place for each pod, and a DaemonSet one on each node. */
export function isReplacing(kind: KubernetesKind): boolean {
  switch (kind) {
    case "Deployment":
      return false;
    case "StatefulSet":
    case "DaemonSet":
      return true;
  }
}
