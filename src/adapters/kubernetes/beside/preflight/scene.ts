import type { Drain, KubernetesObject } from "../../../../plan/model.ts";
import type { Fields } from "../../hold.ts";
import type { Autoscaler, Container, DisruptionBudget, Metadata } from "../../api/objects.ts";
import { containerIn } from "../../template.ts";

/** What a preflight looks at: an object as it is at rest, who else has a say about its pods, and what the plan means to do to it. */
export type Scene = {
  readonly object: KubernetesObject;
  readonly metadata: Metadata;
  readonly fields: Pick<Fields, "replicas" | "template" | "minReadySeconds">;
  /** The one whose image is the release. */
  readonly container: string;
  readonly autoscalers: readonly Autoscaler[];
  readonly budgets: readonly DisruptionBudget[];
  readonly intent: Intent;
};

export type Intent = {
  /** How the plan drains it; absent where the plan does not roll it. */
  readonly drain?: Drain;
  /** The shortest soak after a wave that rolls it. */
  readonly soakMs?: number;
  /** Managers are told to wait while the run lasts. */
  readonly isPausing: boolean;
};

/** What could go wrong, a sentence each; none when nothing can. */
export type Check = (scene: Scene) => readonly string[];

/** What Kubernetes takes where a pod states nothing. */
const DEFAULT_GRACE_S = 30;

/** From SIGTERM to SIGKILL; a preStop hook is part of it. */
export const graceOf = ({ fields }: Scene): number =>
  fields.template.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;

export const releaseContainer = ({ fields, container }: Scene): Container | undefined =>
  containerIn(fields.template.spec, container);
