/** The part of the Kubernetes API's objects that is read here. What else they hold stays in them: a template goes back field by field as it came. */
export type Labels = Readonly<Record<string, string>>;

export type Metadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  /** Set once it is on its way out. */
  readonly deletionTimestamp?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
};

export type Container = {
  readonly name: string;
  readonly image?: string;
  readonly lifecycle?: {
    readonly preStop?: { readonly sleep?: { readonly seconds?: number }; readonly [other: string]: unknown };
  };
  readonly readinessProbe?: {
    readonly periodSeconds?: number;
    readonly failureThreshold?: number;
    readonly [other: string]: unknown;
  };
};

export type Template = {
  readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly terminationGracePeriodSeconds?: number;
    readonly volumes?: readonly { readonly name: string }[];
  };
};

export type Strategy = {
  readonly type?: string;
  readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string };
};

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
};

export type Selector = {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
};

export type Deployment = {
  readonly metadata: Metadata;
  readonly spec: {
    readonly replicas?: number;
    readonly selector: Selector;
    readonly template: Template;
    readonly strategy?: Strategy;
    readonly minReadySeconds?: number;
    readonly progressDeadlineSeconds?: number;
    readonly paused?: boolean;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
};

/** A StatefulSet or a DaemonSet: what is read of either. */
export type PodSet = {
  readonly metadata: Metadata;
  readonly spec: Pick<Deployment["spec"], "selector" | "template"> & {
    /** Of a StatefulSet; a DaemonSet has a pod on each node that takes it. */
    readonly replicas?: number;
    readonly updateStrategy?: UpdateStrategy;
    /** Of a StatefulSet. */
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly desiredNumberScheduled?: number;
    readonly currentNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
  };
};

export type UpdateStrategy = {
  readonly type?: string;
  readonly rollingUpdate?: {
    readonly partition?: number;
    readonly maxUnavailable?: number | string;
    readonly maxSurge?: number | string;
  };
};

/** What the controllers of both keep of a template that was there once. */
export type ControllerRevision = {
  readonly metadata: Metadata;
  readonly revision: number;
  readonly data?: { readonly spec?: { readonly template?: Template & { readonly $patch?: string } } };
};

export type ReplicaSet = { readonly metadata: Metadata; readonly spec: { readonly template: Template } };

export type ContainerStatus = {
  readonly name: string;
  readonly imageID?: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
  readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
};

export type Pod = {
  readonly metadata: Metadata;
  readonly spec: { readonly containers: readonly Container[]; readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
};

export type EndpointSlice = {
  readonly metadata: Metadata;
  readonly endpoints?: readonly {
    readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
    readonly targetRef?: { readonly kind?: string; readonly name?: string };
  }[];
};

export type Service = { readonly metadata: Metadata; readonly spec?: { readonly selector?: Labels } };

export type Event = {
  readonly metadata: Metadata;
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
};

export type Autoscaler = {
  readonly metadata: Metadata;
  readonly spec: {
    readonly scaleTargetRef: { readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
  };
};

export type DisruptionBudget = {
  readonly metadata: Metadata;
  readonly spec: {
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
    /** Absent: it is about no pod. Empty: about all of the namespace. */
    readonly selector?: Selector;
  };
};

/** Of whatever kind: an object by which a manager can be told to wait. */
export type Managed = { readonly metadata: Metadata; readonly spec?: Readonly<Record<string, unknown>> };

export type Listed<T> = { readonly metadata: { readonly resourceVersion: string }; readonly items?: readonly T[] };

export type Lease = {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
};

export type ConfigMap = { readonly metadata: Metadata; readonly data?: Labels };

export type Job = {
  readonly metadata: Metadata;
  readonly status?: { readonly conditions?: readonly Condition[] };
};

type Owned = { readonly metadata: Metadata };

/** Whether an object says that it belongs to this very one, and not to one of its name. */
export const isOwnedBy = ({ metadata }: Owned, owner: Owned): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true;

type Rolling = { readonly metadata: Metadata; readonly status?: { readonly observedGeneration?: number } };

/** Until its controller has read an order, what an object says of itself is about the one before. */
export const isObserved = ({ metadata, status }: Rolling): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
