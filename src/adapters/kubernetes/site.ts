import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { kubernetesDigest } from "../../graph/release-digest.ts";
import type { KubernetesRelease } from "../../plan/model.ts";
import { ApiFailure, RESOURCES, upgradeErrorOf, type Resource } from "./api/api-failure.ts";
import { apiOf, type Api } from "./api/api.ts";
import { sha256, type Configured } from "./config.ts";
import { connect } from "./api/connection.ts";
import { DARK } from "./dark-pod.ts";
import { HELD } from "./hold.ts";
import type { Deployment, EndpointSlice, Listed, Metadata, Pod, PodSet } from "./api/objects.ts";
import type { KubernetesOptions } from "./api/options.ts";
import { sightOf, type Frame, type Parts, type Sight } from "./sight.ts";
import { containerIn, digestIn } from "./template.ts";

/** One component in one region: its cluster and namespace, and the names of its objects there. */
export type Site = {
  readonly options: KubernetesOptions;
  readonly region: string;
  readonly api: Api;
  /** The same cluster in another namespace. */
  readonly within: (namespace: string) => Api;
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
  const names = Object.entries(releases).map(([name, release]): [string, string] => [
    kubernetesDigest(release, sha256) ?? release.image,
    name,
  ]);
  const { object, container, port } = config;
  return {
    options,
    region,
    api: apiOf(connection, clock),
    within: (other) => apiOf({ ...connection, namespace: other }, clock),
    frame: {
      component,
      region,
      object: object.name,
      container,
      port,
      names: new Map(names),
      configured: configuredIn(Object.values(releases)),
    },
  };
}

/** Those with the most config first: where the config of two releases is found, the one that names more of it is meant. */
const configuredIn = (releases: readonly KubernetesRelease[]): readonly Configured[] =>
  releases
    .flatMap((release): readonly Configured[] => {
      const [digest, image] = [kubernetesDigest(release, sha256), digestIn(release.image)];
      const { config = {} } = release;
      return digest === undefined || image === undefined || Object.keys(config).length === 0
        ? []
        : [{ digest, image, config }];
    })
    .toSorted((a, b) => Object.keys(b.config).length - Object.keys(a.config).length);

/** `deployment gateway`. */
export const objectText = ({ options: { config } }: Pick<Site, "options">): string =>
  `${config.object.kind.toLowerCase()} ${config.object.name}`;

/** What is looked at together, each with the query that finds it. */
export function sourcesOf(
  { options: { config } }: Site,
  selecting: Selecting,
): Readonly<Record<keyof Parts<0>, Source>> {
  const { object, service } = config;
  return {
    object: { resource: RESOURCES[object.kind], query: { fieldSelector: `metadata.name=${object.name}` } },
    pods: { resource: "pods", query: { labelSelector: selectorOf(selecting) } },
    dark: { resource: "pods", query: { labelSelector: `${DARK}=${object.name}` } },
    slices: { resource: "endpointslices", query: { labelSelector: `kubernetes.io/service-name=${service}` } },
  };
}

/** Reads everything of a Deployment once. Changes nothing. */
export const look = (site: Site, signal: AbortSignal): Promise<Sight> =>
  lookBy<Deployment, Sight>(site, (parts) => sightOf(parts, site.frame), signal);

/** Reads everything once. Changes nothing. */
export const lookBy = <O extends Rolled, S extends Pick<Sight, "dark">>(
  site: Site,
  seen: (parts: Parts<O>) => S,
  signal: AbortSignal,
): Promise<S> =>
  inOneOrder(
    () => readObject<O>(site, signal),
    async (object) => {
      const sources = sourcesOf(site, object);
      const [pods, dark, slices] = await Promise.all([
        list<Pod>(site, sources.pods, signal),
        list<Pod>(site, sources.dark, signal),
        list<EndpointSlice>(site, sources.slices, signal),
      ]);
      return seen({ object, pods, dark, slices });
    },
  );

/**
 * While pods in the dark are admitted, the record says whose places the others take. Pods that are newer than the record would be counted beside
 * those in the dark, as if somebody else had added them: whoever finds another record afterwards looks again.
 */
async function inOneOrder<O extends { readonly metadata: Metadata }, S extends Pick<Sight, "dark">>(
  read: () => Promise<O>,
  lookAt: (object: O) => Promise<S>,
): Promise<S> {
  for (let object = await read(); ;) {
    const sight = await lookAt(object);
    if (sight.dark.length === 0) return sight;
    const now = await read();
    if (now.metadata.annotations?.[HELD] === object.metadata.annotations?.[HELD]) return sight;
    object = now;
  }
}

/** Rolls pods that it selects. */
type Rolled = Deployment | PodSet;

/** The object as it is now. Throws `KUBERNETES_NOT_FOUND` when it has no such container. */
export async function readObject<O extends Rolled>(
  { api, options: { config } }: Site,
  signal: AbortSignal,
): Promise<O> {
  const { kind, name } = config.object;
  const object = await api.send<O>({ verb: "get", resource: RESOURCES[kind], name }, signal);
  const { spec } = object.spec.template;
  if (containerIn(spec, config.container) !== undefined) return object;
  throw new UpgradeError(
    "KUBERNETES_NOT_FOUND",
    `${RESOURCES[kind]}/${name} in ${api.context} has no container ${config.container}; it has ${spec.containers.map((one) => one.name).join(", ")}`,
    { hint: "correct `container` in the environment file" },
  );
}

export const readDeployment = (site: Site, signal: AbortSignal): Promise<Deployment> => readObject(site, signal);

/** Of the object as it is now, whatever its kind. */
export async function readMetadata({ api, options: { config } }: Site, signal: AbortSignal): Promise<Metadata> {
  const { kind, name } = config.object;
  const { metadata } = await api.send<{ readonly metadata: Metadata }>(
    { verb: "get", resource: RESOURCES[kind], name },
    signal,
  );
  return metadata;
}

export type Source = {
  readonly resource: Resource;
  readonly query: Readonly<Record<string, string>>;
};

export const list = async <T>({ api }: Site, { resource, query }: Source, signal: AbortSignal): Promise<readonly T[]> =>
  (await api.send<Listed<T>>({ verb: "list", resource, query }, signal)).items ?? [];

type Selecting = { readonly spec: Pick<Deployment["spec"], "selector"> };

export function selectorOf({ spec: { selector } }: Selecting): string {
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
