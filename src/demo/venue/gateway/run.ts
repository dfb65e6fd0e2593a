import { connectEngine } from "../engine/client.ts";
import { readConfig } from "./config.ts";
import { postgresMetadata } from "./metadata-postgres.ts";
import type { Release } from "./release.ts";
import { startGateway } from "./start.ts";

/** The notice that a bare SIGTERM gives, in ms. */
const SIGTERM_NOTICE_MS = 1_000;

/** Runs a release as a process: prints its port as one JSON line, drains and exits with 0 on SIGTERM and SIGINT. */
export const runGateway = async (release: Release): Promise<void> => {
  const config = readConfig(process.env, release.version);
  const engine = connectEngine({ engines: config.engines, name: config.instance });
  const metadata = postgresMetadata(config.metadataUrl, release.statements, config.instance);
  const gateway = await startGateway(config, release, { metadata, engine });
  const stop = (): void => void gateway.stop(SIGTERM_NOTICE_MS).then(() => process.exit(0));
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.stdout.write(`${JSON.stringify({ ready: true, port: gateway.port })}\n`);
};
