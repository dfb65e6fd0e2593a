import { expect, test } from "vitest";
import { ApiFailure, upgradeErrorOf, type Asked } from "../../../../src/adapters/kubernetes/api/api-failure.ts";
import { managersOf, scalersOf } from "../../../../src/adapters/kubernetes/beside/managers.ts";

const asked = (more: Partial<Asked> = {}): Asked => ({
  verb: "patch",
  resource: "deployments",
  name: "gateway",
  namespace: "venue",
  context: "tokyo",
  ...more,
});

test.each([
  {
    name: "a forbidden verb names the rule to add",
    failure: new ApiFailure(asked(), 403, `User "ci" cannot patch resource`),
    code: "KUBERNETES_FORBIDDEN",
    message: "may not patch deployments/gateway in namespace venue in tokyo",
    hint: 'add to a Role of this user in namespace venue: {apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]}',
  },
  {
    name: "a watch that is forbidden is a verb of its own",
    failure: new ApiFailure(asked({ verb: "watch", resource: "endpointslices" }), 403, "no"),
    code: "KUBERNETES_FORBIDDEN",
    message: "may not watch endpointslices/gateway in namespace venue",
    hint: 'apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["watch"]',
  },
  {
    name: "credentials that expired are to be renewed",
    failure: new ApiFailure(asked(), 401, "Unauthorized"),
    code: "KUBERNETES_FORBIDDEN",
    message: "does not accept the credentials",
    hint: "renew the credentials of the context tokyo",
  },
  {
    name: "an exhausted quota is no missing right, although its status is the same",
    failure: new ApiFailure(asked({ verb: "create", resource: "pods" }), 403, "exceeded quota: pods, limited: pods=10"),
    code: "KUBERNETES_REFUSED",
    message: "exceeded quota: pods, limited: pods=10",
    hint: "raise the quota",
  },
  {
    name: "an object that is not there",
    failure: new ApiFailure(asked(), 404, "not found"),
    code: "KUBERNETES_NOT_FOUND",
    message: "there is no deployments/gateway in namespace venue in tokyo",
    hint: "correct the name",
  },
  {
    name: "a fight over one object",
    failure: new ApiFailure(asked(), 409, "the object has been modified"),
    code: "KUBERNETES_CONFLICT",
    message: "is written by somebody else all the time",
    hint: "--show-managed-fields",
  },
  {
    name: "a validation that says no",
    failure: new ApiFailure(asked(), 422, "spec.template: Invalid value"),
    code: "KUBERNETES_REFUSED",
    message: "spec.template: Invalid value",
    hint: "do what the API server says",
  },
  {
    name: "an API server that throttles for good",
    failure: new ApiFailure(asked(), 429, "too many requests"),
    code: "WORKLOAD_UNREACHABLE",
    message: "answered 429: too many requests",
    hint: "/readyz",
  },
  {
    name: "an API server that is gone",
    failure: new ApiFailure(asked(), 0, "did not answer: connect ECONNREFUSED"),
    code: "WORKLOAD_UNREACHABLE",
    message: "did not answer: connect ECONNREFUSED",
    hint: "kubectl --context tokyo",
  },
])("$name", ({ failure, code, message, hint }) => {
  const error = upgradeErrorOf(failure, "WORKLOAD_UNREACHABLE");
  expect(error.code).toBe(code);
  expect(error.message).toContain(message);
  expect(error.hint).toContain(hint);
});

test.each([
  {
    by: { annotations: { "argocd.argoproj.io/tracking-id": "venue:apps/Deployment:venue/gateway" } },
    name: "the Argo CD application venue",
    pause: "argocd app set venue --sync-policy none",
  },
  {
    by: {
      labels: { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" },
    },
    name: "the Flux kustomization apps",
    pause: "flux suspend kustomization apps -n flux-system",
  },
  {
    by: {
      labels: { "helm.toolkit.fluxcd.io/name": "venue" },
      annotations: { "meta.helm.sh/release-name": "venue" },
    },
    name: "the Flux Helm release venue",
    pause: "flux suspend helmrelease venue",
  },
  {
    by: { annotations: { "meta.helm.sh/release-name": "venue" } },
    name: "the Helm release venue",
    pause: "let nobody run helm upgrade venue meanwhile",
  },
])("$name is recognised, with how to make it wait", ({ by, name, pause }) => {
  expect(managersOf(by)).toEqual([{ name, pause }]);
});

test("a Deployment that nobody else manages, and an autoscaler of another one, are nobody's", () => {
  expect(managersOf({ labels: { app: "gateway" } })).toEqual([]);
  const autoscaler = (target: string) => ({
    metadata: { name: "scaler", uid: "1", resourceVersion: "1" },
    spec: { scaleTargetRef: { kind: "Deployment", name: target } },
  });
  expect(scalersOf({ kind: "Deployment", name: "gateway" }, [autoscaler("other"), autoscaler("gateway")])).toHaveLength(
    1,
  );
});
