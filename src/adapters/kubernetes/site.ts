import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { kubernetesDigest } from "../../graph/release-digest.ts";
import type { KubernetesRelease } from "../../plan/model.ts";
import { ApiFailure, isFailure, RESOURCES, upgradeErrorOf, type Resource } from "./api/api-failure.ts";
import { apiOf, type Api } from "./api/api.ts";
import { sha256, type Configured } from "./config.ts";
import { connect } from "./api/connection.ts";
import { informerOn, type Informer, type Rolled } from "./api/informer.ts";
import { keptOfPod, keptOfSlice } from "./api/kept.ts";
import { DARK } from "./dark-pod.ts";
import { HELD } from "./hold.ts";
import type { Deployment, EndpointSlice, Listed, Metadata, Pod } from "./api/objects.ts";
import type { KubernetesOptions } from "./api/options.ts";
import { sightOf, type Frame, type Parts, type Sight } from "./sight.ts";
import { routedBy } from "./switch/service-of.ts";
import { containerIn, digestIn } from "./template.ts";

/** One component in one region: its cluster and namespace, and the names of its objects there. */
export type Site = {
  readonly options: KubernetesOptions;
  readonly region: string;
  readonly api: Api;
  /** What watches say, as long as somebody looks. */
  readonly informer: Informer;
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
  const configured = configuredIn(Object.values(releases));
  const informer = informerOn({
    api: apiOf(connection, clock),
    clock,
    object: { ...objectSource(config), name: object.name, isBeside: true },
    sources: (found) => standing(config, found, configured),
  });
  return {
    options,
    region,
    api: informer.api,
    informer,
    within: (other) => apiOf({ ...connection, namespace: other }, clock),
    frame: {
      component,
      region,
      object: object.name,
      container,
      port,
      names: new Map(names),
      configured,
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

type Config = KubernetesOptions["config"];

const objectSource = ({ object }: Config): Source => ({
  resource: RESOURCES[object.kind],
  query: { fieldSelector: `metadata.name=${object.name}` },
});

/** What belongs to an object, each with the query that finds it. */
export function sourcesOf(config: Config, selecting: Selecting): Readonly<Record<"pods" | "dark" | "slices", Source>> {
  const { object, service } = config;
  const { routed } = routedBy(config);
  const services = [service, ...(routed === undefined ? [] : [routed.beside])];
  return {
    pods: { resource: "pods", query: { labelSelector: selectorOf(selecting) } },
    dark: { resource: "pods", query: { labelSelector: `${DARK}=${object.name}` } },
    slices: {
      resource: "endpointslices",
      query: { labelSelector: `kubernetes.io/service-name${isAmong(services)}` },
    },
  };
}

const isAmong = (names: readonly string[]): string =>
  names.length === 1 ? `=${names[0]}` : ` in (${names.join(",")})`;

/** The same, to be watched for long. */
function standing(config: Config, selecting: Selecting, configured: readonly Configured[]) {
  const { pods, dark, slices } = sourcesOf(config, selecting);
  const kept = keptOfPod(configured.length > 0);
  return {
    pods: { ...pods, kept, isBeside: true },
    dark: { ...dark, kept, isBeside: true },
    slices: { ...slices, kept: keptOfSlice, isBeside: true },
  };
}

/** Reads everything of a Deployment once. Changes nothing. */
export const look = (site: Site, signal: AbortSignal): Promise<Sight> => lookBy(site, deploymentSeen(site), signal);

/** The same from watches: see `sightNowBy`. */
export const sightNow = (site: Site, signal: AbortSignal): Promise<Sight> =>
  sightNowBy(site, deploymentSeen(site), signal);

const deploymentSeen =
  ({ frame }: Site) =>
  (parts: Parts<Deployment>): Sight =>
    sightOf(parts, frame);

/** Reads everything once. Changes nothing. */
export const lookBy = <O extends Rolled, S extends Pick<Sight, "dark">>(
  site: Site,
  seen: (parts: Parts<O>) => S,
  signal: AbortSignal,
): Promise<S> =>
  inOneOrder(
    async () => {
      const object = await readObject<O>(site, signal);
      const sources = sourcesOf(site.options.config, object);
      const [pods, dark, slices] = await Promise.all([
        list<Pod>(site, sources.pods, signal),
        list<Pod>(site, sources.dark, signal),
        list<EndpointSlice>(site, sources.slices, signal),
      ]);
      return { object, pods, dark, slices };
    },
    seen,
    () => readObject<O>(site, signal),
  );

/**
 * What watches say now, no older than the last write of this process. They are opened by whoever looks a second time within 10 s, and stand as long
 * as somebody goes on. Where they may not be opened everything is read.
 */
export async function sightNowBy<O extends Rolled, S extends Pick<Sight, "dark">>(
  site: Site,
  seen: (parts: Parts<O>) => S,
  signal: AbortSignal,
): Promise<S> {
  const { informer } = site;
  if (!informer.isWorthIt()) return lookBy(site, seen, signal);
  const parts = async (): Promise<Parts<O>> => {
    for (;;) {
      const found = await informer.parts(signal);
      // The kind of the component's object is that of everything that is asked for it.
      if (found !== undefined && containerIn(found.object.spec.template.spec, site.frame.container) !== undefined)
        return found as Parts<O>;
      // Whoever reads it says what is wrong; where nothing is, the watches are behind.
      await readObject<O>(site, signal);
    }
  };
  try {
    return await inOneOrder(parts, seen, () => readObject<O>(site, signal));
  } catch (error) {
    if (isFailure(error, 403)) return lookBy(site, seen, signal);
    throw error;
  }
}

/**
 * While pods in the dark are admitted, the record says whose places the others take. Pods that are newer than the record would be counted beside
 * those in the dark, as if somebody else had added them: whoever finds another record afterwards looks again.
 */
async function inOneOrder<O extends Rolled, S extends Pick<Sight, "dark">>(
  partsNow: () => Promise<Parts<O>>,
  seen: (parts: Parts<O>) => S,
  read: () => Promise<O>,
): Promise<S> {
  for (;;) {
    const parts = await partsNow();
    const sight = seen(parts);
    if (sight.dark.length === 0) return sight;
    const now = await read();
    if (now.metadata.annotations?.[HELD] === parts.object.metadata.annotations?.[HELD]) return sight;
  }
}

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
