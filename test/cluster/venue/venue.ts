import type { VenueEnv } from "../../../src/demo/venue/accounts.ts";
import { VENUE_REGIONS } from "../../../src/demo/venue/ports.ts";
import { startVenue, type Venue } from "../../../src/demo/venue/venue.ts";
import { apiAt, type Api } from "../api.ts";
import { up } from "../cluster.ts";
import { until } from "../commands.ts";
import { apiUrl, NODE_IP, type ClusterFacts } from "../facts.ts";
import { caOf } from "../kubeconfig.ts";
import { placesOf, type Places } from "../places.ts";
import { relayTo } from "../relay.ts";
import { gatewayImages, type GatewayImages } from "./images.ts";
import { gatewayDeployment, gatewaySecret, gatewayService, NAME, SERVICE_PORT } from "./manifests.ts";

/** The cluster, with the gateways' images in it. */
export type VenueGround = {
  readonly api: Api;
  readonly facts: ClusterFacts;
  readonly places: Places;
  readonly images: GatewayImages;
};

/** The cluster that `npm run test:cluster` made, or that is made now. */
export async function findVenueGround(): Promise<VenueGround> {
  const places = placesOf(process.env["MIDFLIGHT_CLUSTER"] ?? "test");
  const facts = await up({ places, regions: VENUE_REGIONS, hasNode: true, mayInstall: false, say: () => {} });
  const images = await gatewayImages(places);
  return { api: await apiAt(apiUrl(facts), facts.tokens.admin, caOf(places)), facts, places, images };
}

/** The demo's venue with its gateways in pods, release 1.0. Store and engines stay processes of this machine. */
export type ClusterVenue = {
  readonly keySeed: string;
  /** Region → host and port of its Service. */
  readonly services: Readonly<Record<string, string>>;
  /** What the environment file reads from variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Store and engines. */
  readonly venue: Venue;
};

/** Where users trade in a region. */
export const addressOf = ({ services }: Pick<ClusterVenue, "services">, region: string) => ({
  rest: `http://${services[region] ?? ""}`,
  ws: `ws://${services[region] ?? ""}`,
});

export type ClusterVenueOrder = {
  readonly env: VenueEnv;
  readonly dir: string;
  readonly keySeed: string;
  /** Pods per region. */
  readonly instances: number;
  readonly fault: string;
  readonly noise: string;
};

/** Resolves once users can trade in every region. What was started is put on the stack, also when something else cannot. */
export async function venueOn(
  ground: VenueGround,
  order: ClusterVenueOrder,
  stack: AsyncDisposableStack,
): Promise<ClusterVenue> {
  const { api, places } = ground;
  const { env } = order;
  const venue = await startVenue({ dir: order.dir, env, keySeed: order.keySeed });
  stack.defer(() => venue.stop());
  const secret = gatewaySecret(env, await fromPods(venue, stack));
  // An earlier one that was killed may have left its own.
  await clear(api, env);
  stack.defer(() => clear(api, env));
  const services = await Promise.all(
    VENUE_REGIONS.map(async (region): Promise<[string, string]> => [
      region,
      await deploy(ground, region, order, secret),
    ]),
  );
  for (const [region, service] of services) await untilServing(api, region, service, order);
  return {
    keySeed: venue.keySeed,
    services: Object.fromEntries(services),
    venue,
    variables: { ...venue.variables, KUBECONFIG: places.kubeconfig },
  };
}

/** Store and engines listen on this machine alone: pods reach them by the bridge's address. */
async function fromPods(venue: Venue, stack: AsyncDisposableStack): Promise<Readonly<Record<string, string>>> {
  const prefix = venue.env === "demo" ? "DEMO_" : "";
  let [store, engines] = [
    venue.variables[`${prefix}GATEWAY_DB_URL`] ?? "",
    venue.variables[`${prefix}VENUE_ENGINES`] ?? "",
  ];
  for (const port of [venue.ports.postgres, ...venue.ports.engines]) {
    const relay = await relayTo(port, NODE_IP);
    stack.defer(() => relay.close());
    const [here, there] = [`127.0.0.1:${port}`, `${NODE_IP}:${relay.port}`];
    store = store.replace(here, there);
    engines = engines.replace(here, there);
  }
  return { METADATA_URL: store, ENGINES: engines, VENUE_KEY_SEED: venue.keySeed };
}

/** Yields where users reach it. */
async function deploy(
  { api, images }: VenueGround,
  region: string,
  { env, instances, fault, noise }: ClusterVenueOrder,
  secret: ReturnType<typeof gatewaySecret>,
): Promise<string> {
  const order = { env, region, image: images["1.0"], replicas: instances, fault, noise };
  await api.call("POST", `/api/v1/namespaces/${region}/secrets`, secret);
  await api.call("POST", `/apis/apps/v1/namespaces/${region}/deployments`, gatewayDeployment(order));
  const service = (await api.call("POST", `/api/v1/namespaces/${region}/services`, gatewayService(env))) as {
    readonly spec: { readonly clusterIP: string };
  };
  return `${service.spec.clusterIP}:${SERVICE_PORT}`;
}

async function untilServing(
  api: Api,
  region: string,
  service: string,
  { env, instances }: ClusterVenueOrder,
): Promise<void> {
  await until(`the gateways of ${region}`, 120_000, async () => {
    const { status } = (await api.call("GET", deploymentPath(region, env))) as {
      readonly status?: { readonly readyReplicas?: number };
    };
    const ready = status?.readyReplicas ?? 0;
    return ready === instances ? true : `${ready} of ${instances} are ready`;
  });
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${region}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${NAME[env]}`;
  await until(`the endpoints of ${region}`, 15_000, async () => {
    const { items } = (await api.call("GET", slices)) as Slices;
    const ready = items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready);
    return ready.length === instances ? true : `${ready.length} of ${instances} are ready`;
  });
  // The proxies learn of a Service a little later than its endpoints are known.
  await until(`the Service of ${region}`, 15_000, async () => {
    const { status } = await fetch(`http://${service}/api/v5/public/time`, { signal: AbortSignal.timeout(1_000) });
    return status === 200 ? true : `it answers ${status}`;
  });
}

type Slices = {
  readonly items: readonly {
    readonly endpoints: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
  }[];
};

export const deploymentPath = (region: string, env: VenueEnv = "production"): string =>
  `/apis/apps/v1/namespaces/${region}/deployments/${NAME[env]}`;

/** Takes the gateways away. Resolves once no pod of theirs is left, so that the next ones are not taken for them. */
async function clear(api: Api, env: VenueEnv): Promise<void> {
  for (const region of VENUE_REGIONS)
    for (const path of [
      deploymentPath(region, env),
      `/api/v1/namespaces/${region}/services/${NAME[env]}`,
      `/api/v1/namespaces/${region}/secrets/${NAME[env]}`,
    ])
      await api.call("DELETE", path, { propagationPolicy: "Background" }).catch(unlessMissing);
  await until(
    "the gateways to leave",
    60_000,
    async () => {
      const left = await podsLeft(api, env);
      return left === 0 ? true : `${left} pods are left`;
    },
    500,
  );
}

/** Those that are there are told to go at once: no user is left whom they would have to say goodbye to. */
async function podsLeft(api: Api, env: VenueEnv): Promise<number> {
  let left = 0;
  for (const region of VENUE_REGIONS)
    for (const selector of [`app=${NAME[env]}`, `midflight.dev/dark=${NAME[env]}`]) {
      const path = `/api/v1/namespaces/${region}/pods?labelSelector=${encodeURIComponent(selector)}`;
      const { length } = ((await api.call("GET", path)) as { readonly items: readonly unknown[] }).items;
      if (length > 0) await api.call("DELETE", path, { gracePeriodSeconds: 1 });
      left += length;
    }
  return left;
}

const unlessMissing = (error: unknown): void => {
  if (!(error instanceof Error && error.message.includes(": 404 "))) throw error;
};
