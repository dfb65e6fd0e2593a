import type { KubernetesObject } from "../../plan/model.ts";
import { GROUPS, ruleNameOf, type Verb } from "./api-failure.ts";
import { CONFIG, looking, PAUSING, rolling, TELLING, type Right } from "./rights.ts";

/** A component in one region, and whether the plan upgrades it or only looks. */
export type Placed = {
  readonly region: string;
  readonly context: string;
  readonly namespace: string;
  readonly object: KubernetesObject;
  readonly isRolled: boolean;
  /** Names of the copies of ConfigMaps and Secrets that its new release reads. */
  readonly config: readonly string[];
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

/** The least rights for these components, a grant for each namespace of each context, in the order in which they are met. */
export function grantsFor(placed: readonly Placed[]): readonly Grant[] {
  const keys = [...new Set(placed.map((one) => keyOf(one)))];
  return keys.flatMap((key): readonly Grant[] => {
    const here = placed.filter((one) => keyOf(one) === key);
    const [first] = here;
    if (first === undefined) return [];
    const { context, namespace } = first;
    const rules = rulesFor([...here.flatMap((one) => wantedFor(one)), ...here.flatMap((one) => tellingFor(one))]);
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
    const rules = rulesFor(PAUSING.map((right) => ({ right, name: undefined })));
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
export type Wanted = { readonly right: Right; readonly name: string | undefined };

/** What is asked about a component itself. */
export function wantedFor({
  object,
  isRolled,
  config,
}: Pick<Placed, "object" | "isRolled" | "config">): readonly Wanted[] {
  const own = isRolled ? rolling(object.kind) : looking(object.kind);
  return [
    ...own.map((right) => ({ right, name: right.isNamed === true ? object.name : undefined })),
    ...(isRolled ? config.flatMap((name) => CONFIG.map((right) => ({ right, name }))) : []),
  ];
}

/** What only explains and warns. */
const tellingFor = ({ isRolled }: Placed): readonly Wanted[] =>
  isRolled ? TELLING.map((right) => ({ right, name: undefined })) : [];

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly Verb[];
};

/** Each object once, with all that is done to it; objects with the same rights share a rule. */
function rulesFor(wanted: readonly Wanted[]): readonly Rule[] {
  const objects = new Map<string, { readonly one: Wanted; readonly verbs: Set<Verb> }>();
  for (const one of wanted) {
    const key = `${one.right.resource} ${ruleNameOf(one.right)} ${one.name ?? ""}`;
    const known = objects.get(key) ?? { one, verbs: new Set<Verb>() };
    for (const verb of one.right.verbs) known.verbs.add(verb);
    objects.set(key, known);
  }
  const rules = new Map<string, { readonly right: Right; readonly verbs: readonly Verb[]; readonly names: string[] }>();
  for (const { one, verbs } of objects.values()) {
    const { right, name } = one;
    const key = `${right.resource} ${ruleNameOf(right)} ${name === undefined ? "all" : [...verbs].join(",")}`;
    const known = rules.get(key) ?? { right, verbs: [...verbs], names: [] };
    if (name !== undefined) known.names.push(name);
    rules.set(key, known);
  }
  return [...rules.values()].map(({ right, verbs, names }) => ({
    apiGroups: [GROUPS[right.resource]],
    resources: [ruleNameOf(right)],
    ...(names.length === 0 ? {} : { resourceNames: names }),
    verbs,
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
