import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { ApiFailure, upgradeErrorOf } from "./api-failure.ts";
import { apiOf, type Api } from "./api.ts";
import { connect } from "./connection.ts";
import { DARK } from "./dark-pod.ts";
import { HELD } from "./hold.ts";
import type { Deployment, EndpointSlice, Listed, Pod } from "./objects.ts";
import type { KubernetesOptions } from "./options.ts";
import { sightOf, type Frame, type Sight } from "./sight.ts";
import { containerIn, digestIn } from "./template.ts";

/** One component in one region: its cluster and namespace, and the names of its objects there. */
export type Site = {
  readonly options: KubernetesOptions;
  readonly region: string;
  readonly api: Api;
  readonly frame: Frame;
};

/** Region → its site; a cluster is connected to once, when it is first needed. */
export type Sites = (region: string) => Site;

export function sitesOf(options: KubernetesOptions): Sites {
  const known = new Map<string, Site>();
  return (region) => {
    const site = known.get(region) ?? siteIn(options, region);
    known.set(region, site);
    return site;
  };
}

function siteIn(options: KubernetesOptions, region: string): Site {
  const { config, clock, component, releases } = options;
  const context = config.contexts[region];
  if (context === undefined) throw new Bug(`${component} has no context in ${region}`);
  const connection = connect(options.kubeconfig, context, {
    now: () => clock.monotonic(),
    ...(config.namespace === undefined ? {} : { namespace: config.namespace }),
  });
  const names = Object.entries(releases).map(([name, { image }]): [string, string] => [digestIn(image) ?? image, name]);
  const { deployment, container, port } = config;
  return {
    options,
    region,
    api: apiOf(connection, clock),
    frame: { component, region, deployment, container, port, names: new Map(names) },
  };
}

/** What is looked at together, each with the query that finds it. */
export const sourcesOf = ({ options: { config } }: Site, deployment: Deployment) =>
  ({
    deployment: { resource: "deployments", query: { fieldSelector: `metadata.name=${config.deployment}` } },
    pods: { resource: "pods", query: { labelSelector: selectorOf(deployment) } },
    dark: { resource: "pods", query: { labelSelector: `${DARK}=${config.deployment}` } },
    slices: { resource: "endpointslices", query: { labelSelector: `kubernetes.io/service-name=${config.service}` } },
  }) as const;

/** A look in the middle of each of so many handovers has seen them all. */
const LOOKS = 5;

/**
 * Reads everything once; again where the record of who is handed over to whom changed meanwhile, by which a place is counted once. Only pods
 * in the dark are handed over. Changes nothing.
 */
export async function look(site: Site, signal: AbortSignal): Promise<Sight> {
  let deployment = await readDeployment(site, signal);
  for (let turn = 1; ; turn += 1) {
    const sight = await lookFrom(site, deployment, signal);
    if (sight.dark.length === 0 || turn === LOOKS) return sight;
    const record = recordIn(deployment);
    deployment = await readDeployment(site, signal);
    if (recordIn(deployment) === record) return sight;
  }
}

const recordIn = ({ metadata }: Deployment): string | undefined => metadata.annotations?.[HELD];

async function lookFrom(site: Site, deployment: Deployment, signal: AbortSignal): Promise<Sight> {
  const sources = sourcesOf(site, deployment);
  const [pods, dark, slices] = await Promise.all([
    list<Pod>(site, sources.pods, signal),
    list<Pod>(site, sources.dark, signal),
    list<EndpointSlice>(site, sources.slices, signal),
  ]);
  return sightOf({ deployment, pods, dark, slices }, site.frame);
}

/** The Deployment as it is now. Throws `KUBERNETES_NOT_FOUND` when it has no such container. */
export async function readDeployment({ api, options: { config } }: Site, signal: AbortSignal): Promise<Deployment> {
  const deployment = await api.send<Deployment>(
    { verb: "get", resource: "deployments", name: config.deployment },
    signal,
  );
  const { spec } = deployment.spec.template;
  if (containerIn(spec, config.container) !== undefined) return deployment;
  throw new UpgradeError(
    "KUBERNETES_NOT_FOUND",
    `deployments/${config.deployment} in ${api.context} has no container ${config.container}; it has ${spec.containers.map(({ name }) => name).join(", ")}`,
    { hint: "correct `container` in the environment file" },
  );
}

type Source = {
  readonly resource: "deployments" | "pods" | "endpointslices";
  readonly query: Readonly<Record<string, string>>;
};

const list = async <T>({ api }: Site, { resource, query }: Source, signal: AbortSignal): Promise<readonly T[]> =>
  (await api.send<Listed<T>>({ verb: "list", resource, query }, signal)).items ?? [];

function selectorOf({ spec: { selector } }: Deployment): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    switch (operator) {
      case "Exists":
        return key;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
    }
  });
  return [...labels, ...expressions].join(",");
}

type Silence = Parameters<typeof upgradeErrorOf>[1];

/** What an API server refused, in the words of the port that asked. */
export const inOurWords = async <T>(silence: Silence, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ApiFailure ? upgradeErrorOf(error, silence) : error;
  }
};
