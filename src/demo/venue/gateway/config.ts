import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { VenueEnv } from "../accounts.ts";
import { readNoise, type Noise } from "./noise.ts";

/** What a gateway process is told by its environment variables. */
export type GatewayConfig = {
  /** 0: any free one. */
  readonly port: number;
  readonly instance: string;
  readonly release: string;
  readonly region: string;
  readonly metadataUrl: string;
  /** `host:port` of both matching engines. */
  readonly engines: readonly string[];
  readonly env: VenueEnv;
  readonly keySeed: string;
  /** How it fails in health; undefined: never. */
  readonly noise?: Noise;
};

/** Reads PORT, MIDFLIGHT_INSTANCE, MIDFLIGHT_RELEASE, MIDFLIGHT_REGION, METADATA_URL, ENGINES, VENUE_ENV, VENUE_KEY_SEED and GATEWAY_NOISE. */
export const readConfig = (env: NodeJS.ProcessEnv, version: string): GatewayConfig => {
  const noise = readNoise(env["GATEWAY_NOISE"]);
  return {
    port: Number(env["PORT"] ?? "0"),
    instance: env["MIDFLIGHT_INSTANCE"] ?? `gateway-${process.pid}`,
    release: env["MIDFLIGHT_RELEASE"] ?? version,
    region: env["MIDFLIGHT_REGION"] ?? "local",
    metadataUrl: required(env, "METADATA_URL"),
    engines: required(env, "ENGINES").split(","),
    env: env["VENUE_ENV"] === "demo" ? "demo" : "production",
    keySeed: required(env, "VENUE_KEY_SEED"),
    ...(noise === undefined ? {} : { noise }),
  };
};

const required = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new UpgradeError("VENUE_CONFIG", `the environment variable ${name} is not set`, {
    hint: `set ${name} for this process of the venue`,
  });
};
