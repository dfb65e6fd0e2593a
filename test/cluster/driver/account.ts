import type { KubernetesOptions } from "../../../src/adapters/kubernetes/api/options.ts";
import { grantsFor, needsOf, type Grant } from "../../../src/adapters/kubernetes/beside/rbac.ts";
import { switchedBy } from "../../../src/adapters/kubernetes/switch/service-of.ts";
import type { Ground } from "./place.ts";

/** An account of the cluster with the rights of a grant and no others. */
export type Account = {
  /** The same options, with its credentials. */
  as(options: KubernetesOptions): KubernetesOptions;
  close(): Promise<void>;
};

export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};
type Item = { readonly kind: string; readonly metadata: { readonly name: string }; readonly rules?: readonly Rule[] };

/** What is printed for a plan that rolls a place, in tokyo. */
export const grantsOf = ({ config }: KubernetesOptions): readonly Grant[] =>
  grantsFor([
    needsOf({
      region: "tokyo",
      context: "tokyo",
      namespace: "tokyo",
      object: config.object,
      isRolled: true,
      isPlanned: true,
      config: [],
      ...switchedBy(config),
    }),
  ]);

const pathsIn = (namespace: string): Readonly<Record<string, string>> => ({
  ServiceAccount: `/api/v1/namespaces/${namespace}/serviceaccounts`,
  Role: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`,
  RoleBinding: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
});

/** Applies the manifests of grants, of tokyo where none else is named, under names of their own, with other rules where they are given. */
export async function accountOf(
  { api }: Ground,
  grants: readonly Grant[],
  change: (rules: readonly Rule[]) => readonly Rule[] = (rules) => rules,
  namespace = "tokyo",
): Promise<Account> {
  const PATHS = pathsIn(namespace);
  const name = `midflight-${Math.random().toString(36).slice(2, 8)}`;
  const items = grants.flatMap(({ manifest }) => (manifest as { readonly items: readonly Item[] }).items);
  for (const item of items) {
    const { rules, ...rest } = JSON.parse(
      JSON.stringify(item).replaceAll('"name":"midflight"', `"name":"${name}"`),
    ) as Item;
    const body = { ...rest, ...(rules === undefined ? {} : { rules: change(rules) }) };
    await api.call("POST", PATHS[item.kind] ?? "", body);
  }
  const { status } = (await api.call("POST", `${PATHS["ServiceAccount"] ?? ""}/${name}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3_600 },
  })) as { readonly status: { readonly token: string } };
  return {
    as(options) {
      const config = JSON.parse(options.kubeconfig ?? "{}") as object;
      const users = [{ name: "admin", user: { token: status.token } }];
      // On several lines: that tells it from a path.
      return { ...options, kubeconfig: JSON.stringify({ ...config, users }, undefined, 2) };
    },
    async close() {
      for (const { kind } of items.toReversed()) await api.call("DELETE", `${PATHS[kind] ?? ""}/${name}`);
    },
  };
}
