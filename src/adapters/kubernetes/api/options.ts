import type { KubernetesComponent, KubernetesRelease } from "../../../plan/model.ts";
import type { Clock } from "../../../ports/clock.ts";

/** What the Kubernetes driver of one component is built from. */
export type KubernetesOptions = {
  readonly component: string;
  readonly config: Omit<KubernetesComponent, "kubeconfig" | "named" | "stores">;
  /** Path of the kubeconfig, or the kubeconfig itself. Undefined: where kubectl would find it. */
  readonly kubeconfig?: string;
  /** By name, such as `gateway@2.0`. */
  readonly releases: Readonly<Record<string, KubernetesRelease>>;
  /** Name of the release that shall run, whose config is looked for before anything begins. Absent: whoever looks changes nothing. */
  readonly target?: string;
  readonly clock: Clock;
};
