import { dirname, join } from "node:path";
import { midflightBinary } from "../../support/build.ts";
import { loadImage } from "../images.ts";
import type { Places } from "../places.ts";

/** Releases of the venue's gateway, in the order of their making. */
export const VERSIONS = ["1.0", "2.0", "2.1", "2.2"] as const;
export type Version = (typeof VERSIONS)[number];

/** Release → its image, by digest: the very program that the process driver runs, with this machine's Node. */
export type GatewayImages = Readonly<Record<Version, string>>;

const NAME = "localhost/venue-gateway";

export async function gatewayImages(places: Places): Promise<GatewayImages> {
  const releases = join(dirname(midflightBinary()), "../dist/releases");
  const load = async (version: Version): Promise<string> => {
    const digest = await loadImage(places, {
      tag: `${NAME}:${version}`,
      files: { "app/main.mjs": join(releases, `gateway-${version}`, "main.js") },
      entrypoint: ["/usr/bin/node", "/app/main.mjs"],
      hasNode: true,
      env: { MIDFLIGHT_RELEASE: `gateway@${version}` },
    });
    return `${NAME}@${digest}`;
  };
  // One after the other: each holds a Node of 100 MB in its hands.
  return { "1.0": await load("1.0"), "2.0": await load("2.0"), "2.1": await load("2.1"), "2.2": await load("2.2") };
}
