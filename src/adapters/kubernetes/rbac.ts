import { GROUPS, pluralOf, type Resource, type Verb } from "./api-failure.ts";
import { LOOKING, PAUSING, ROLLING, TELLING, type Right } from "./rights.ts";

/** A Deployment in one region, and whether the plan upgrades it or only looks. */
export type Placed = {
  readonly region: string;
  readonly context: string;
  readonly namespace: string;
  readonly deployment: string;
  readonly isRolled: boolean;
};

/** What one namespace of one cluster has to allow. */
export type Grant = {
  readonly regions: readonly string[];
  readonly context: string;
  readonly namespace: string;
  /** One List with a ServiceAccount, a Role and a RoleBinding. */
  readonly manifest: object;
};

const NAME = "midflight";

/** The least rights for these Deployments, a grant for each namespace of each context, in the order in which they are met. */
export function grantsFor(placed: readonly Placed[]): readonly Grant[] {
  const keys = [...new Set(placed.map((one) => keyOf(one)))];
  return keys.flatMap((key): readonly Grant[] => {
    const here = placed.filter((one) => keyOf(one) === key);
    const [first] = here;
    if (first === undefined) return [];
    const { context, namespace } = first;
    const rules = rulesFor(here.flatMap(({ deployment, isRolled }) => wantedFor(deployment, isRolled)));
    return [
      {
        regions: [...new Set(here.map(({ region }) => region))],
        context,
        namespace,
        manifest: listOf([account(namespace), role(namespace, NAME, rules), binding(namespace, NAME, namespace)]),
      },
    ];
  });
}

/** To pause managers whose own objects lie in a namespace of theirs, a grant for each context; `accounts`: whom to bind there. */
export function pausingGrants(accounts: readonly Grant[], managersIn: string): readonly Grant[] {
  const contexts = [...new Set(accounts.map(({ context }) => context))];
  return contexts.map((context) => {
    const here = accounts.filter((one) => one.context === context);
    const rules = rulesFor(PAUSING.map((right) => ({ ...right, name: undefined })));
    const bindings = here.map(({ namespace }) => binding(managersIn, `${NAME}-pausing`, namespace));
    return {
      regions: [...new Set(here.flatMap(({ regions }) => regions))],
      context,
      namespace: managersIn,
      manifest: listOf([role(managersIn, `${NAME}-pausing`, rules), ...bindings]),
    };
  });
}

const keyOf = ({ context, namespace }: Placed): string => `${context} ${namespace}`;

/** `name`: the one object that it is about; undefined for all of the namespace. */
type Wanted = Pick<Right, "resource" | "verbs"> & { readonly name: string | undefined };

const wantedFor = (deployment: string, isRolled: boolean): readonly Wanted[] =>
  (isRolled ? [...ROLLING, ...TELLING] : LOOKING).map(({ resource, verbs, isNamed }) => ({
    resource,
    verbs,
    name: isNamed === true ? deployment : undefined,
  }));

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly Verb[];
};

/** Each object once, with all that is done to it; objects with the same rights share a rule. */
function rulesFor(wanted: readonly Wanted[]): readonly Rule[] {
  const verbs = new Map<string, { readonly one: Wanted; readonly verbs: Set<Verb> }>();
  for (const one of wanted) {
    const key = `${one.resource} ${one.name ?? ""}`;
    const known = verbs.get(key) ?? { one, verbs: new Set<Verb>() };
    for (const verb of one.verbs) known.verbs.add(verb);
    verbs.set(key, known);
  }
  const rules = new Map<string, { readonly resource: Resource; readonly verbs: readonly Verb[]; names: string[] }>();
  for (const { one, verbs: all } of verbs.values()) {
    const key = `${one.resource} ${one.name === undefined ? "all" : [...all].join(",")}`;
    const known = rules.get(key) ?? { resource: one.resource, verbs: [...all], names: [] };
    if (one.name !== undefined) known.names.push(one.name);
    rules.set(key, known);
  }
  return [...rules.values()].map(({ resource, verbs: all, names }) => ({
    apiGroups: [GROUPS[resource]],
    resources: [pluralOf(resource)],
    ...(names.length === 0 ? {} : { resourceNames: names }),
    verbs: all,
  }));
}

const listOf = (items: readonly object[]): object => ({ apiVersion: "v1", kind: "List", items });

const account = (namespace: string): object => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: NAME, namespace },
});

const role = (namespace: string, name: string, rules: readonly Rule[]): object => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name, namespace },
  rules,
});

/** Binds the account of one namespace to a role of the same or another one. */
const binding = (namespace: string, name: string, of: string): object => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { name: namespace === of ? name : `${name}-${of}`, namespace },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
  subjects: [{ kind: "ServiceAccount", name: NAME, namespace: of }],
});
