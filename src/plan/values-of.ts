import type { Environment, KubernetesComponent, ProbeTarget, Value } from "./model.ts";
import type { Path } from "./source/source.ts";

/** A value of an environment that may come from outside, with its place and what it is. */
export type PlacedValue = {
  readonly value: Value;
  readonly path: Path;
  readonly what: string;
  /** It is read by probes in their region, and never here. */
  readonly isReadElsewhere?: true;
};

/** Every such value of an environment. */
export const valuesOf = (environment: Environment): readonly PlacedValue[] => [
  ...probeValues(environment),
  ...componentValues(environment),
  ...liveSources(environment),
  ...webhooks(environment),
  ...jobsValues(environment),
];

const probeValues = (environment: Environment): readonly PlacedValue[] =>
  Object.entries(environment.regions).flatMap(([region, { probe }]) => {
    if (probe === undefined) return [];
    const own = ownValues(region, probe);
    if (probe.in === undefined) return own;
    const { kubeconfig } = probe.in;
    const path = ["regions", region, "probe", "in", "kubeconfig"];
    return [
      ...own.map((one): PlacedValue => ({ ...one, isReadElsewhere: true })),
      ...(kubeconfig === undefined
        ? []
        : [{ value: kubeconfig, path, what: `the kubeconfig for the probes of ${region}` }]),
    ];
  });

const ownValues = (region: string, probe: ProbeTarget): readonly PlacedValue[] => {
  const path = ["regions", region, "probe", probe.kind];
  if (probe.kind === "okx")
    return [{ value: probe.accounts, path: [...path, "accounts"], what: `the probe accounts of ${region}` }];
  const { values, cohorts } = probe;
  return [
    ...Object.entries(values).map(([name, value]) => ({
      value,
      path: [...path, "values", name],
      what: `the value ${name} of the probe of ${region}`,
    })),
    ...(cohorts === undefined
      ? []
      : [{ value: cohorts, path: [...path, "cohorts"], what: `the probe cohorts of ${region}` }]),
  ];
};

const componentValues = (environment: Environment): readonly PlacedValue[] =>
  Object.entries(environment.components).flatMap(([name, component]) => {
    if (component.driver === "postgres")
      return [{ value: component.url, path: ["components", name, "url"], what: `the address of ${name}` }];
    if (component.driver === "command") return [];
    if (component.driver === "kubernetes") return podValues(name, component);
    return Object.entries(component.env).map(([variable, value]) => ({
      value,
      path: ["components", name, "env", variable],
      what: `${variable} of ${name}`,
    }));
  });

const podValues = (name: string, { kubeconfig, stores }: KubernetesComponent): readonly PlacedValue[] => [
  ...(kubeconfig === undefined
    ? []
    : [{ value: kubeconfig, path: ["components", name, "kubeconfig"], what: `the kubeconfig of ${name}` }]),
  ...Object.entries(stores).map(([store, value]) => ({
    value,
    path: ["components", name, "stores", store],
    what: `the address by which ${name} comes to ${store}`,
  })),
];

const jobsValues = ({ jobs }: Environment): readonly PlacedValue[] =>
  jobs?.kubeconfig === undefined
    ? []
    : [{ value: jobs.kubeconfig, path: ["jobs", "kubeconfig"], what: "the kubeconfig for jobs" }];

const webhooks = (environment: Environment): readonly PlacedValue[] =>
  environment.notify.flatMap(({ target }, index) =>
    target.kind === "webhook"
      ? [{ value: target.url, path: ["notify", index, "webhook", "url"], what: "the address of a webhook" }]
      : [],
  );

const liveSources = (environment: Environment): readonly PlacedValue[] =>
  environment.sources.flatMap((source, index) => {
    if (source.kind !== "prometheus") return [];
    const path = ["sources", index, "prometheus"];
    return [
      { value: source.url, path: [...path, "url"], what: "the address of a Prometheus server" },
      ...(source.token === undefined
        ? []
        : [{ value: source.token, path: [...path, "token"], what: "the token for a Prometheus server" }]),
    ];
  });
