import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { VenueEnv } from "../accounts.ts";
import { readNoise, type Noise } from "./noise.ts";

/** What a gateway process is told by its environment variables. */
export type GatewayConfig = {
  /** 0: any free one. */
  readonly port: number;
  /** Address that it listens on. Default: this machine's own, 127.0.0.1. */
  readonly host?: string;
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

/** Of a gateway that is a process. */
export type GatewayProcessConfig = GatewayConfig & {
  /** The notice that a bare SIGTERM gives, in ms; after a drain, only what is left of its notice. */
  readonly noticeMs: number;
};

/** Behind a balancer that has led its users away before. */
const NOTICE_MS = "1000";

/**
 * Reads PORT, LISTEN_HOST, MIDFLIGHT_INSTANCE, MIDFLIGHT_RELEASE, MIDFLIGHT_REGION, METADATA_URL, ENGINES, VENUE_ENV, VENUE_KEY_SEED,
 * SIGTERM_NOTICE_MS and GATEWAY_NOISE.
 */
export const readConfig = (env: NodeJS.ProcessEnv, version: string): GatewayProcessConfig => {
  const noise = readNoise(env["GATEWAY_NOISE"]);
  const host = env["LISTEN_HOST"];
  return {
    port: Number(env["PORT"] ?? "0"),
    instance: env["MIDFLIGHT_INSTANCE"] ?? `gateway-${process.pid}`,
    release: env["MIDFLIGHT_RELEASE"] ?? version,
    region: env["MIDFLIGHT_REGION"] ?? "local",
    metadataUrl: required(env, "METADATA_URL"),
    engines: required(env, "ENGINES").split(","),
    env: env["VENUE_ENV"] === "demo" ? "demo" : "production",
    keySeed: required(env, "VENUE_KEY_SEED"),
    noticeMs: Number(env["SIGTERM_NOTICE_MS"] ?? NOTICE_MS),
    ...(host === undefined ? {} : { host }),
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
