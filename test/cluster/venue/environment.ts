import { readFile, writeFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import type { VenueEnv } from "../../../src/demo/venue/accounts.ts";
import { VENUE_REGIONS } from "../../../src/demo/venue/ports.ts";
import type { GatewayImages } from "./images.ts";
import { GATEWAY, NAME, POD_PORT } from "./manifests.ts";

export type InTheCluster = {
  readonly env: VenueEnv;
  /** Region → host and port of its Service. */
  readonly services: Readonly<Record<string, string>>;
  /** What its driver runs of each release. */
  readonly images: GatewayImages;
  /** Pods per region. */
  readonly instances: number;
};

/** Another environment file beside a shipped one, and nothing else: plan, releases and migrations stay as they are. Resolves with the file. */
export async function placeIn(shipped: string, placed: InTheCluster): Promise<string> {
  const inTheCluster = shipped.replace(/\.yaml$/, ".kubernetes.yaml");
  await writeFile(inTheCluster, environmentOn(await readFile(shipped, "utf8"), placed));
  return inTheCluster;
}

/** The shipped environment file with its gateways in a cluster: their driver, addresses and images differ, and nothing else does. */
export function environmentOn(shipped: string, { env, services, images, instances }: InTheCluster): string {
  const file = parseDocument(shipped);
  for (const region of VENUE_REGIONS) {
    const venue = ["regions", region, "probe", "okx"];
    file.setIn([...venue, "rest"], `http://${services[region] ?? ""}`);
    file.setIn([...venue, "ws"], `ws://${services[region] ?? ""}/ws/v5`);
  }
  const { components } = file.toJS() as {
    readonly components: {
      readonly gateway: { readonly counters: unknown; readonly env: { readonly METADATA_URL: unknown } };
    };
  };
  file.setIn(
    ["components", "gateway"],
    file.createNode({
      driver: "kubernetes",
      deployment: NAME[env],
      container: GATEWAY,
      service: NAME[env],
      // A namespace each, in the cluster of the suite.
      contexts: Object.fromEntries(VENUE_REGIONS.map((region) => [region, region])),
      kubeconfig: { env: "KUBECONFIG" },
      stores: { "orders-db": components.gateway.env.METADATA_URL },
      instances,
      port: POD_PORT,
      counters: components.gateway.counters,
    }),
  );
  for (const [version, image] of Object.entries(images))
    file.setIn(["releases", `${GATEWAY}@${version}`], file.createNode({ kubernetes: { image } }));
  return String(file);
}
