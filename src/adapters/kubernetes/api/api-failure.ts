import type { ErrorCode } from "../../../errors/catalog.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { KubernetesKind } from "../../../plan/model.ts";

export type Resource =
  | "deployments"
  | "statefulsets"
  | "daemonsets"
  | "controllerrevisions"
  | "replicasets"
  | "pods"
  | "endpointslices"
  | "services"
  | "httproutes"
  | "events"
  | "horizontalpodautoscalers"
  | "poddisruptionbudgets"
  // Those of the newer API, as kubectl names them beside the older "events".
  | "events.events.k8s.io"
  | "selfsubjectaccessreviews"
  | "applications"
  | "helmreleases"
  | "configmaps"
  | "secrets"
  | "leases"
  | "jobs";
/** Has rights of its own. */
export type Subresource = "eviction" | "log";
export type Verb = "get" | "list" | "watch" | "create" | "patch" | "delete";

/** What was asked of an API server. */
export type Asked = {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly name?: string;
  readonly subresource?: Subresource;
  readonly namespace: string;
  /** Of the kubeconfig. */
  readonly context: string;
};

/** An API server's no, or its silence (status 0). Never leaves this adapter: `upgradeErrorOf` says it in our words. */
export class ApiFailure extends Error {
  readonly asked: Asked;
  readonly status: number;

  constructor(asked: Asked, status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "ApiFailure";
    this.asked = asked;
    this.status = status;
  }
}

export const isFailure = (error: unknown, status: number): boolean =>
  error instanceof ApiFailure && error.status === status;

/** Undefined where what was asked for is not there. */
export const unlessAbsent = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => (isFailure(error, 404) ? undefined : Promise.reject(error)));

/** API group of each kind of object, as rules of RBAC name it. */
export const GROUPS: Readonly<Record<Resource, string>> = {
  deployments: "apps",
  statefulsets: "apps",
  daemonsets: "apps",
  controllerrevisions: "apps",
  replicasets: "apps",
  pods: "",
  endpointslices: "discovery.k8s.io",
  services: "",
  httproutes: "gateway.networking.k8s.io",
  events: "",
  horizontalpodautoscalers: "autoscaling",
  poddisruptionbudgets: "policy",
  "events.events.k8s.io": "events.k8s.io",
  selfsubjectaccessreviews: "authorization.k8s.io",
  applications: "argoproj.io",
  helmreleases: "helm.toolkit.fluxcd.io",
  configmaps: "",
  secrets: "",
  leases: "coordination.k8s.io",
  jobs: "batch",
};

/** What the API calls objects of a kind. */
export const RESOURCES = {
  Deployment: "deployments",
  StatefulSet: "statefulsets",
  DaemonSet: "daemonsets",
} as const satisfies Readonly<Record<KubernetesKind, Resource>>;

/** Its name in paths, without a group. */
export const pluralOf = (resource: Resource): string => resource.split(".")[0] ?? resource;

/** Its name in rules of RBAC. */
export const ruleNameOf = ({ resource, subresource }: Pick<Asked, "resource" | "subresource">): string =>
  `${pluralOf(resource)}${subresource === undefined ? "" : `/${subresource}`}`;

/** In our words. `unreachable`: what nobody's answer is called at the port that asked. */
export function upgradeErrorOf(
  failure: ApiFailure,
  unreachable: Extract<
    ErrorCode,
    "WORKLOAD_UNREACHABLE" | "BALANCER_UNREACHABLE" | "STATE_UNREACHABLE" | "JOBS_UNREACHABLE" | "PROBES_UNREACHABLE"
  >,
): UpgradeError {
  const { asked, status, message } = failure;
  const { context } = asked;
  const say = (code: ErrorCode, text: string, hint: string) => new UpgradeError(code, text, { hint, cause: failure });
  if (status === 401)
    return say(
      "KUBERNETES_FORBIDDEN",
      `the API server of ${context} does not accept the credentials: ${message}`,
      `renew the credentials of the context ${context}, then start again`,
    );
  if (status === 403 && isQuota(message))
    return say(
      "KUBERNETES_REFUSED",
      `${thing(asked)} in ${context}: ${message}`,
      "raise the quota, or roll smaller batches",
    );
  if (status === 403)
    return say(
      "KUBERNETES_FORBIDDEN",
      `may not ${asked.verb} ${thing(asked)} in ${context}: ${message}`,
      ruleFor(asked, [asked.verb]),
    );
  if (status === 404 && asked.verb === "create")
    return say(
      "KUBERNETES_NOT_FOUND",
      `there is no namespace ${asked.namespace} in ${context}`,
      "correct the namespace in the environment file, or create it",
    );
  if (status === 404)
    return say(
      "KUBERNETES_NOT_FOUND",
      `there is no ${thing(asked)} in ${context}`,
      "correct the name in the environment file, or create it",
    );
  if (status === 409)
    return say(
      "KUBERNETES_CONFLICT",
      `${thing(asked)} in ${context} is written by somebody else all the time: ${message}`,
      "find out who writes to it (kubectl get --show-managed-fields), and let it rest",
    );
  if (status === 400 || status === 422)
    return say(
      "KUBERNETES_REFUSED",
      `${asked.verb} of ${thing(asked)} in ${context}: ${message}`,
      "do what the API server says",
    );
  return say(
    unreachable,
    `the API server of ${context}, asked to ${asked.verb} ${thing(asked)}, ${status === 0 ? message : `answered ${status}: ${message}`}`,
    `check that \`kubectl --context ${context} get --raw /readyz\` answers`,
  );
}

const isQuota = (message: string): boolean => /exceeded quota|forbidden by quota|failed quota/i.test(message);

export const thing = ({ resource, name, subresource, namespace }: Omit<Asked, "verb" | "context">): string =>
  `${resource}${name === undefined ? "" : `/${name}`}${subresource === undefined ? "" : `/${subresource}`} in namespace ${namespace}`;

/** One line of a Role that would have allowed it. */
export const ruleFor = (asked: Omit<Asked, "verb" | "context">, verbs: readonly Verb[]): string =>
  `add to a Role of this user in namespace ${asked.namespace}: {apiGroups: ["${GROUPS[asked.resource]}"], resources: ["${ruleNameOf(asked)}"], verbs: [${verbs.map((verb) => `"${verb}"`).join(", ")}]}`;
