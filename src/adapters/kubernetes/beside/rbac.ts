import type { KubernetesObject } from "../../../plan/model.ts";
import { GROUPS, ruleNameOf, type Verb } from "../api/api-failure.ts";
import type { Routed } from "../switch/service-of.ts";
import {
  CONFIG,
  KEEPING,
  LEASING,
  looking,
  PAUSING,
  PROBING,
  rolling,
  ROUTING,
  SWITCHING,
  TELLING,
  WORKING,
  type Right,
} from "./rights.ts";

/** A component in one region, and whether the plan upgrades it or only looks. */
export type Placed = {
  readonly region: string;
  readonly context: string;
  readonly namespace: string;
  readonly object: KubernetesObject;
  readonly isRolled: boolean;
  /** The plan names it: its lease is taken, whatever becomes of it. */
  readonly isPlanned: boolean;
  /** Names of the copies of ConfigMaps and Secrets that its new release reads. */
  readonly config: readonly string[];
  /** Service whose selector switches users; absent where none does. */
  readonly switched?: string;
  /** Route whose weights give shares, and the Service beside the other one in it; absent where none does. */
  readonly routed?: Routed;
};

/** What is needed in one namespace of one cluster, and for what: a region, or `runs` and `jobs` that are kept there. */
export type Needs = {
  readonly what: string;
  readonly context: string;
  readonly namespace: string;
  readonly wanted: readonly Wanted[];
};

/** Whose rights they are. */
export type Account = { readonly name: string; readonly namespace: string };

/** What one namespace of one cluster has to allow. */
export type Grant = {
  readonly what: readonly string[];
  readonly context: string;
  readonly namespace: string;
  readonly account: Account;
  /** One List with a ServiceAccount where it lies here, a Role and a RoleBinding. */
  readonly manifest: object;
};

const NAME = "midflight";

/**
 * The least rights, a grant for each namespace of each context, in the order in which they are met. `conductor`: the account that acts from within
 * one of the clusters; everywhere else each namespace has one of its own.
 */
export function grantsFor(
  needs: readonly Needs[],
  conductor?: Account & { readonly context: string },
): readonly Grant[] {
  const keys = [...new Set(needs.map((one) => keyOf(one)))];
  return keys.flatMap((key): readonly Grant[] => {
    const here = needs.filter((one) => keyOf(one) === key);
    const [first] = here;
    if (first === undefined) return [];
    const { context, namespace } = first;
    const own = conductor?.context === context ? conductor : { name: NAME, namespace };
    const account: Account = { name: own.name, namespace: own.namespace };
    const rules = rulesFor(here.flatMap(({ wanted }) => wanted));
    const manifest = listOf([
      ...(account.namespace === namespace ? [accountItem(account)] : []),
      role(namespace, NAME, rules),
      binding(namespace, NAME, account),
    ]);
    return [{ what: [...new Set(here.map(({ what }) => what))], context, namespace, account, manifest }];
  });
}

/** To pause managers whose own objects lie in a namespace of theirs, a grant for each context; `grants`: whose accounts are bound there. */
export function pausingGrants(grants: readonly Grant[], managersIn: string): readonly Grant[] {
  const contexts = [...new Set(grants.map(({ context }) => context))];
  return contexts.flatMap((context): readonly Grant[] => {
    const here = grants.filter((one) => one.context === context);
    const [first] = here;
    if (first === undefined) return [];
    const rules = rulesFor(PAUSING.map((right) => ({ right, name: undefined })));
    const accounts = new Map(here.map(({ account }) => [`${account.namespace}/${account.name}`, account]));
    const bindings = [...accounts.values()].map((account) => binding(managersIn, `${NAME}-pausing`, account));
    return [
      {
        what: [...new Set(here.flatMap(({ what }) => what))],
        context,
        namespace: managersIn,
        account: first.account,
        manifest: listOf([role(managersIn, `${NAME}-pausing`, rules), ...bindings]),
      },
    ];
  });
}

const keyOf = ({ context, namespace }: Needs): string => `${context} ${namespace}`;

export const needsOf = (placed: Placed): Needs => {
  const { region, context, namespace } = placed;
  return { what: region, context, namespace, wanted: [...wantedFor(placed), ...tellingFor(placed)] };
};

type Place = { readonly context: string; readonly namespace: string };

/** To keep runs in a namespace. */
export const needsOfRuns = ({ context, namespace }: Place): Needs => ({
  what: "runs",
  context,
  namespace,
  wanted: KEEPING.map((right) => ({ right, name: undefined })),
});

/** To make Jobs in a namespace. */
export const needsOfJobs = ({ context, namespace }: Place): Needs => ({
  what: "jobs",
  context,
  namespace,
  wanted: WORKING.map((right) => ({ right, name: undefined })),
});

/** To run a region's probes in a namespace. */
export const needsOfProbes = ({ context, namespace }: Place): Needs => ({
  what: "probes",
  context,
  namespace,
  wanted: PROBES_WANTED,
});

export const PROBES_WANTED: readonly Wanted[] = PROBING.map((right) => ({ right, name: undefined }));

/** `name`: the one object that it is about; undefined for all of the namespace. */
export type Wanted = { readonly right: Right; readonly name: string | undefined };

/** What is asked about a component itself. */
export function wantedFor({ object, isRolled, isPlanned, config, switched, routed }: About): readonly Wanted[] {
  const seen = isPlanned ? [...looking(object.kind), ...LEASING] : looking(object.kind);
  const own = isRolled ? rolling(object.kind) : seen;
  return [
    ...own.map((right) => ({ right, name: right.isNamed === true ? object.name : undefined })),
    ...(isRolled && switched !== undefined ? SWITCHING.map((right) => ({ right, name: switched })) : []),
    ...(isRolled && routed !== undefined ? SWITCHING.map((right) => ({ right, name: routed.beside })) : []),
    ...(isRolled && routed !== undefined ? ROUTING.map((right) => ({ right, name: routed.route })) : []),
    ...(isRolled ? config.flatMap((name) => CONFIG.map((right) => ({ right, name }))) : []),
  ];
}

type About = Pick<Placed, "object" | "isRolled" | "isPlanned" | "config" | "switched" | "routed">;

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

const accountItem = ({ name, namespace }: Account): object => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name, namespace },
});

const role = (namespace: string, name: string, rules: readonly Rule[]): object => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name, namespace },
  rules,
});

/** Binds an account of the same namespace or another one to a role. */
const binding = (namespace: string, name: string, account: Account): object => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { name: namespace === account.namespace ? name : `${name}-${account.namespace}`, namespace },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
  subjects: [{ kind: "ServiceAccount", name: account.name, namespace: account.namespace }],
});
