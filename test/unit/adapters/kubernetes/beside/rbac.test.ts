import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { GROUPS, ruleNameOf } from "../../../../../src/adapters/kubernetes/api/api-failure.ts";
import {
  grantsFor as grantsOf,
  needsOf,
  needsOfJobs,
  needsOfRuns,
  pausingGrants,
  type Placed,
} from "../../../../../src/adapters/kubernetes/beside/rbac.ts";
import {
  CONFIG,
  KEEPING,
  looking,
  PAUSING,
  rolling,
  ROUTING,
  SWITCHING,
  TELLING,
  PROBING,
  WORKING,
  type Right,
} from "../../../../../src/adapters/kubernetes/beside/rights.ts";

const placed = (more: Partial<Placed> = {}): Placed => ({
  region: "tokyo",
  context: "prod-tokyo",
  namespace: "trading",
  object: { kind: "Deployment", name: "gateway" },
  isRolled: true,
  isPlanned: true,
  config: [],
  ...more,
});

const grantsFor = (all: readonly Placed[]) => grantsOf(all.map((one) => needsOf(one)));
const deployment = (name: string): Placed["object"] => ({ kind: "Deployment", name });
const KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

type Item = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly rules?: readonly Rule[];
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
};
type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};
const itemsOf = ({ manifest }: { readonly manifest: object }): readonly Item[] =>
  (manifest as { readonly items: readonly Item[] }).items;
const rulesOf = (grant: { readonly manifest: object } | undefined): readonly Rule[] =>
  grant === undefined ? [] : itemsOf(grant).flatMap(({ rules }) => rules ?? []);
const ruleFor = (rules: readonly Rule[], resource: string): readonly Rule[] =>
  rules.filter(({ resources }) => resources.includes(resource));

test("each namespace of each context gets an account, a role and what binds them", () => {
  const grants = grantsFor([
    placed(),
    placed({ object: deployment("risk") }),
    placed({ region: "frankfurt", context: "prod-frankfurt" }),
  ]);
  expect(grants.map(({ what, context, namespace }) => [what, context, namespace])).toEqual([
    [["tokyo"], "prod-tokyo", "trading"],
    [["frankfurt"], "prod-frankfurt", "trading"],
  ]);
  for (const grant of grants)
    expect(itemsOf(grant).map(({ kind, metadata }) => `${kind} ${metadata.namespace}`)).toEqual([
      "ServiceAccount trading",
      "Role trading",
      "RoleBinding trading",
    ]);
});

test("two regions that are one namespace of one cluster share a grant", () => {
  const grants = grantsFor([placed(), placed({ region: "osaka" })]);
  expect(grants.map(({ what }) => what)).toEqual([["tokyo", "osaka"]]);
  expect(ruleFor(rulesOf(grants[0]), "deployments")[0]?.resourceNames).toEqual(["gateway"]);
});

test("only the Deployments that a plan upgrades may be written to, each by its name", () => {
  const rules = rulesOf(
    grantsFor([
      placed(),
      placed({ object: deployment("risk") }),
      placed({ object: deployment("feed"), isRolled: false }),
    ])[0],
  );
  expect(ruleFor(rules, "deployments")).toEqual([
    {
      apiGroups: ["apps"],
      resources: ["deployments"],
      resourceNames: ["gateway", "risk"],
      verbs: ["get", "list", "watch", "patch"],
    },
    { apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["feed"], verbs: ["get"] },
  ]);
});

test("a component that is only looked at lets nobody write anything", () => {
  const rules = rulesOf(grantsFor([placed({ isRolled: false, isPlanned: false })])[0]);
  expect(rules.flatMap(({ verbs }) => verbs).filter((verb) => !["get", "list", "watch"].includes(verb))).toEqual([]);
});

test("one that a plan names and only looks at has its lease taken, and nothing else written", () => {
  const rules = rulesOf(grantsFor([placed({ isRolled: false })])[0]);
  const writing = rules.filter(({ verbs }) => verbs.some((verb) => !["get", "list", "watch"].includes(verb)));
  expect(writing.map(({ resources }) => resources)).toEqual([["leases"]]);
});

test("no rule holds a wildcard or another group's resource, and each resource stands in one rule", () => {
  const rules = rulesOf(grantsFor([placed()])[0]);
  expect(JSON.stringify(rules)).not.toContain("*");
  const named = rules.map(({ apiGroups, resources }) => `${apiGroups[0] ?? ""}/${resources[0] ?? ""}`);
  expect(new Set(named).size).toBe(named.length);
  expect(named).toEqual(expect.arrayContaining(["/events", "events.k8s.io/events", "policy/poddisruptionbudgets"]));
});

test("to pause managers, the accounts are bound where those have their own objects, and only there", () => {
  const grants = grantsFor([placed(), placed({ namespace: "risk" })]);
  const [pausing] = pausingGrants(grants, "argocd");
  expect(pausing?.namespace).toBe("argocd");
  expect(rulesOf(pausing).map(({ resources, verbs }) => [resources, verbs])).toEqual([
    [["applications"], ["get", "patch"]],
    [["helmreleases"], ["get", "patch"]],
  ]);
  const subjects = (pausing === undefined ? [] : itemsOf(pausing)).flatMap((item) => item.subjects ?? []);
  expect(subjects.map(({ namespace }) => namespace)).toEqual(["trading", "risk"]);
});

test.each([
  { kind: "StatefulSet", resource: "statefulsets", evicts: [] },
  { kind: "DaemonSet", resource: "daemonsets", evicts: ["create"] },
] as const)("a $kind is written to by its name, and its old templates are read", ({ kind, resource, evicts }) => {
  const rules = rulesOf(grantsFor([placed({ object: { kind, name: "book" } })])[0]);
  expect(ruleFor(rules, resource)).toMatchObject([
    { apiGroups: ["apps"], resourceNames: ["book"], verbs: ["get", "list", "watch", "patch"] },
  ]);
  expect(ruleFor(rules, "controllerrevisions").flatMap(({ verbs }) => verbs)).toEqual(["list"]);
  expect(ruleFor(rules, "pods/eviction").flatMap(({ verbs }) => verbs)).toEqual(evicts);
  expect(rules.flatMap(({ resources }) => resources)).not.toContain("replicasets");
});

test("of ConfigMaps and Secrets only the copies that the new release reads may be got, by their names", () => {
  const rules = rulesOf(grantsFor([placed({ config: ["limits-3fa9c1d2e4", "keys-0123456789"] })])[0]);
  for (const resource of ["configmaps", "secrets"])
    expect(ruleFor(rules, resource)).toEqual([
      {
        apiGroups: [""],
        resources: [resource],
        resourceNames: ["limits-3fa9c1d2e4", "keys-0123456789"],
        verbs: ["get"],
      },
    ]);
  expect(ruleFor(rulesOf(grantsFor([placed()])[0]), "secrets")).toEqual([]);
});

test("only where a Service's selector switches users may that Service be read and written, and no other one", () => {
  const rules = rulesOf(grantsFor([placed({ switched: "entry" }), placed({ object: deployment("risk") })])[0]);
  expect(ruleFor(rules, "services")).toEqual([
    { apiGroups: [""], resources: ["services"], resourceNames: ["entry"], verbs: ["get", "patch"] },
  ]);
  expect(ruleFor(rulesOf(grantsFor([placed()])[0]), "services")).toEqual([]);
  expect(ruleFor(rulesOf(grantsFor([placed({ switched: "entry", isRolled: false })])[0]), "services")).toEqual([]);
});

test("only where a route gives shares may that route and its two Services be read and written, and no other ones", () => {
  const routed = { route: "edge", beside: "entry-beside" };
  const rules = rulesOf(grantsFor([placed({ switched: "entry", routed })])[0]);
  expect(ruleFor(rules, "httproutes")).toEqual([
    {
      apiGroups: ["gateway.networking.k8s.io"],
      resources: ["httproutes"],
      resourceNames: ["edge"],
      verbs: ["get", "patch"],
    },
  ]);
  expect(ruleFor(rules, "services").flatMap(({ resourceNames }) => resourceNames)).toEqual(["entry", "entry-beside"]);
  expect(ruleFor(rulesOf(grantsFor([placed({ switched: "entry" })])[0]), "httproutes")).toEqual([]);
  const watched = placed({ switched: "entry", routed, isRolled: false });
  expect(ruleFor(rulesOf(grantsFor([watched])[0]), "httproutes")).toEqual([]);
});

test("an account that conducts from within a cluster is bound in every namespace of that cluster, and others have their own", () => {
  const needs = [
    needsOf(placed()),
    needsOf(placed({ region: "frankfurt", context: "prod-frankfurt" })),
    needsOfRuns({ context: "prod-tokyo", namespace: "midflight" }),
    needsOfJobs({ context: "prod-tokyo", namespace: "tools" }),
  ];
  const grants = grantsOf(needs, { name: "conductor", namespace: "midflight", context: "prod-tokyo" });
  const told = grants.map((grant) => {
    const items = itemsOf(grant);
    const subjects = items.flatMap((item) => item.subjects ?? []).map(({ name, namespace }) => `${namespace}/${name}`);
    return [grant.what.join(), items.map(({ kind }) => kind).join(), ...subjects];
  });
  expect(told).toEqual([
    ["tokyo", "Role,RoleBinding", "midflight/conductor"],
    ["frankfurt", "ServiceAccount,Role,RoleBinding", "trading/midflight"],
    ["runs", "ServiceAccount,Role,RoleBinding", "midflight/conductor"],
    ["jobs", "Role,RoleBinding", "midflight/conductor"],
  ]);
});

const textOf = ({ resource, subresource, verbs }: Right): string =>
  `${resource}${subresource === undefined ? "" : `/${subresource}`}: ${verbs.join(", ")}`;

test("the table in the docs says what is asked for, and no more", () => {
  const text = readFileSync(new URL("../../../../../docs/kubernetes.md", import.meta.url), "utf8");
  const [, section = ""] = /\n## Rights\n([\s\S]*?)\n## /.exec(text) ?? [];
  const rows = [...section.matchAll(/^\| ((?:`[^`]+`(?:, )?)+)[^|]*\| ([a-z, ]+?) \|/gm)].flatMap(
    ([, resources = "", verbs = ""]) => resources.match(/[^`, ]+/g)?.map((resource) => `${resource}: ${verbs}`) ?? [],
  );
  const rights = [
    ...KINDS.flatMap((kind) => rolling(kind)),
    ...SWITCHING,
    ...ROUTING,
    ...CONFIG,
    ...TELLING,
    ...PAUSING,
  ];
  expect(rows.toSorted()).toEqual([...new Set(rights.map((right) => textOf(right)))].toSorted());
  const [, beside = ""] = /\nIn the namespace of `state`: (.*)\n/.exec(section) ?? [];
  const [keeping = "", rest = ""] = beside.split("In that of `jobs`: ");
  const [working = "", probing = ""] = rest.split("In that of a region's `probe.in`: ");
  for (const right of PROBING) expect(probing).toContain(textOf(right).replace(/^([^:]+):/, "`$1`"));
  for (const right of KEEPING) expect(keeping).toContain(textOf(right).replace(/^([^:]+):/, "`$1`"));
  for (const right of WORKING) expect(working).toContain(textOf(right).replace(/^([^:]+):/, "`$1`"));
});

test.each([
  {
    base: "region",
    rights: [...KINDS.flatMap((kind) => rolling(kind)), ...SWITCHING, ...ROUTING, ...CONFIG, ...TELLING],
  },
  { base: "conductor", rights: KEEPING },
  { base: "jobs", rights: WORKING },
  { base: "probes", rights: PROBING },
])("the base in deploy/$base allows what is asked for, and no more", ({ base, rights }) => {
  const role = parse(readFileSync(new URL(`../../../../../deploy/${base}/role.yaml`, import.meta.url), "utf8")) as Item;
  const allowed = (role.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${apiGroups[0] ?? ""}/${resource} ${verb}`)),
  );
  const asked = rights.flatMap((right) =>
    right.verbs.map((verb) => `${GROUPS[right.resource]}/${ruleNameOf(right)} ${verb}`),
  );
  expect(allowed.toSorted()).toEqual([...new Set(asked)].toSorted());
});

test.each(KINDS)("whoever may upgrade a %s may also look", (kind) => {
  for (const { resource, verbs } of looking(kind)) {
    const own = rolling(kind).find((right) => right.resource === resource);
    expect(own?.verbs).toEqual(expect.arrayContaining([...verbs]));
  }
});
