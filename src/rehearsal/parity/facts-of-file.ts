import { hash } from "node:crypto";
import { durationText } from "../../plan/duration.ts";
import type {
  CommandComponent,
  Environment,
  EnvironmentComponent,
  EnvironmentRegion,
  KubernetesComponent,
  LiveSource,
  ProcessComponent,
  Value,
} from "../../plan/model.ts";
import { operationsOf } from "../../plan/operations-of.ts";
import type { EnvironmentFact, FactGroup, FactValue, Severity } from "../../ports/facts.ts";

/** What an environment file says of itself, without asking anybody. No value that may be secret is read, let alone told. */
export const factsOfFile = (environment: Environment): readonly EnvironmentFact[] => [
  fact({}, "regions", "topology", namesOf(environment.regions)),
  ...Object.entries(environment.regions).flatMap(([name, region]) => regionFacts(name, region)),
  ...Object.entries(environment.rules).map(([name, rules]) =>
    fact({}, `rules/${name}`, "configuration", digestOf(JSON.stringify(rules)), "warn"),
  ),
  ...Object.entries(environment.components).flatMap(([name, component]) =>
    componentFacts(environment, name, component),
  ),
  ...environment.sources.map((source, index) => sourceFact(source, index)),
];

function regionFacts(name: string, { probe }: EnvironmentRegion): readonly EnvironmentFact[] {
  const kind =
    probe === undefined
      ? "none"
      : probe.kind === "okx"
        ? `${probe.kind}, ${probe.instrument}`
        : `${probe.kind}, ${operationsOf(probe).join(", ")}`;
  return [
    fact({}, `regions/${name}/probe`, "topology", kind, "warn"),
    ...(probe === undefined
      ? []
      : [addressFact({}, `regions/${name}/probe/address`, probe.kind === "okx" ? probe.rest : probe.url)]),
  ];
}

function componentFacts(
  environment: Environment,
  name: string,
  component: EnvironmentComponent,
): readonly EnvironmentFact[] {
  const of = { component: name };
  const driver = fact(of, `${name}/driver`, "topology", component.driver);
  switch (component.driver) {
    case "process":
      return [driver, ...processFacts(environment, name, component)];
    case "kubernetes":
      return [driver, ...kubernetesFacts(name, component)];
    case "command":
      return [driver, ...commandFacts(name, component)];
    case "postgres":
      return [driver];
  }
}

function processFacts(environment: Environment, name: string, component: ProcessComponent): readonly EnvironmentFact[] {
  const of = { component: name };
  const { balancer, env, counters } = component;
  const paths = (["ready", "drain", "undrain", "drained"] as const).map((path) =>
    fact(of, `${name}/path:${path}`, "configuration", component[path], "warn"),
  );
  return [
    fact(of, `${name}/regions`, "topology", namesOf(balancer)),
    ...Object.entries(balancer).map(([region, address]) => addressFact(of, `${name}/${region}/balancer`, address)),
    fact(of, `${name}/wanted`, "instances", `${component.instances} in each region`, "info"),
    fact(of, `${name}/limit:readyDeadline`, "limits", durationText(component.readyDeadlineMs), "warn"),
    fact(of, `${name}/limit:stopDeadline`, "limits", durationText(component.stopDeadlineMs), "warn"),
    ...paths,
    ...(counters === undefined ? [] : [fact(of, `${name}/counters`, "configuration", { ...counters }, "warn")]),
    ...Object.entries(env).map(([variable, value]) =>
      fact(of, `${name}/env:${variable}`, "configuration", variableText(environment, value), "warn"),
    ),
  ];
}

function kubernetesFacts(name: string, component: KubernetesComponent): readonly EnvironmentFact[] {
  const of = { component: name };
  const { contexts, counters } = component;
  const names = (["container", "service"] as const).map((object) =>
    fact(of, `${name}/${object}`, "topology", component[object], "info"),
  );
  return [
    fact(of, `${name}/regions`, "topology", namesOf(contexts)),
    ...Object.entries(contexts).map(([region, context]): EnvironmentFact => ({
      ...fact(of, `${name}/${region}/cluster`, "identity", clusterText(component, context)),
      rule: "apart",
    })),
    fact(of, `${name}/kind`, "topology", component.object.kind, "warn"),
    fact(of, `${name}/object`, "topology", component.object.name, "info"),
    ...names,
    fact(of, `${name}/wanted`, "instances", `${component.instances} in each region`, "info"),
    fact(of, `${name}/port`, "configuration", String(component.port), "warn"),
    fact(of, `${name}/limit:readyDeadline`, "limits", durationText(component.readyDeadlineMs), "warn"),
    ...(counters === undefined ? [] : [fact(of, `${name}/counters`, "configuration", { ...counters }, "warn")]),
  ];
}

/** `deployment gateway`. */
const objectText = ({ object: { kind, name } }: Pick<KubernetesComponent, "object">): string =>
  `${kind.toLowerCase()} ${name}`;

/** A context is a cluster and a namespace, unless the file names another namespace. */
const clusterText = ({ namespace, kubeconfig, object }: KubernetesComponent, context: string): string =>
  [
    `context ${context}`,
    ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
    ...(kubeconfig === undefined ? [] : [`kubeconfig ${digestOf(JSON.stringify(kubeconfig))}`]),
    objectText({ object }),
  ].join(", ");

const commandFacts = (name: string, component: CommandComponent): readonly EnvironmentFact[] => [
  ...(["observe", "apply", "undo", "ready"] as const).map((program) =>
    fact(
      { component: name },
      `${name}/program:${program}`,
      "configuration",
      digestOf(component[program].join("\0")),
      "warn",
    ),
  ),
  fact({ component: name }, `${name}/limit:timeout`, "limits", durationText(component.timeoutMs), "warn"),
];

/** Where users are counted may differ; what is counted should not. */
const sourceFact = (source: LiveSource, index: number): EnvironmentFact =>
  fact(
    {},
    `sources/${index + 1}`,
    "configuration",
    {
      kind: source.kind,
      regions: source.regions.toSorted().join(", "),
      operations: source.operations.toSorted().join(", "),
      counts: source.kind === "prometheus" ? source.query : digestOf(source.argv.join("\0")),
    },
    "warn",
  );

/** That it is the same, and not what it is: whoever reads a comparison need not know it. */
function variableText(environment: Environment, value: Value): string {
  if (typeof value === "string")
    return value === environment.name || value === environment.class ? "what the environment is" : digestOf(value);
  if ("file" in value) return "from a file";
  return value.default === undefined ? "from a variable" : `from a variable, else ${digestOf(value.default)}`;
}

const digestOf = (text: string): string =>
  text === "" ? "empty" : `sha256:${hash("sha256", text, "hex").slice(0, 16)}`;

const namesOf = (block: Readonly<Record<string, unknown>>): string => Object.keys(block).toSorted().join(", ");

type Of = { readonly component?: string };

const fact = (
  of: Of,
  id: string,
  group: FactGroup,
  value: FactValue,
  severity: Severity = "block",
): EnvironmentFact => ({ id, ...of, group, value, severity, rule: "same" });

/** Two environments that meet at one address are one. */
const addressFact = (of: Of, id: string, url: string): EnvironmentFact => ({
  ...fact(of, id, "identity", placeOf(url)),
  rule: "apart",
});

/** Without user, password or path. */
const placeOf = (url: string): string => /^\w+:\/\/(?:[^/?#]*@)?([^/?#]+)/.exec(url)?.[1]?.toLowerCase() ?? url;
