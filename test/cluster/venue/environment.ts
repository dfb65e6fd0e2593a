import { parseDocument } from "yaml";
import { VENUE_REGIONS } from "../../../src/demo/venue/ports.ts";
import type { GatewayImages } from "./images.ts";
import { GATEWAY, POD_PORT } from "./manifests.ts";

export type InTheCluster = {
  /** Region → host and port of its Service. */
  readonly services: Readonly<Record<string, string>>;
  /** What its driver runs of each release. */
  readonly images: GatewayImages;
  /** Pods per region. */
  readonly instances: number;
};

/** The shipped environment file with its gateways in a cluster: their driver, addresses and images differ, and nothing else does. */
export function environmentOn(shipped: string, { services, images, instances }: InTheCluster): string {
  const file = parseDocument(shipped);
  for (const region of VENUE_REGIONS) {
    const venue = ["regions", region, "probe", "okx"];
    file.setIn([...venue, "rest"], `http://${services[region] ?? ""}`);
    file.setIn([...venue, "ws"], `ws://${services[region] ?? ""}/ws/v5`);
  }
  const { components } = file.toJS() as { readonly components: { readonly gateway: { readonly counters: unknown } } };
  file.setIn(
    ["components", "gateway"],
    file.createNode({
      driver: "kubernetes",
      deployment: GATEWAY,
      service: GATEWAY,
      // A namespace each, in the cluster of the suite.
      contexts: Object.fromEntries(VENUE_REGIONS.map((region) => [region, region])),
      kubeconfig: { env: "KUBECONFIG" },
      instances,
      port: POD_PORT,
      counters: components.gateway.counters,
    }),
  );
  for (const [version, image] of Object.entries(images))
    file.setIn(["releases", `${GATEWAY}@${version}`], file.createNode({ kubernetes: { image } }));
  return String(file);
}
