import { connectEngine } from "../engine/client.ts";
import { runProcess } from "../run-process.ts";
import { readConfig } from "./config.ts";
import { postgresMetadata } from "./metadata-postgres.ts";
import type { Release } from "./release.ts";
import { startGateway } from "./start.ts";

/** Runs a release as a process. */
export const runGateway = (release: Release): Promise<void> =>
  runProcess(async () => {
    const config = readConfig(process.env, release.version);
    const engine = connectEngine({ engines: config.engines, name: config.instance });
    const metadata = postgresMetadata(config.metadataUrl, release.statements, config.instance);
    const gateway = await startGateway(config, release, { metadata, engine });
    return { ready: { port: gateway.port }, stop: () => gateway.stop(config.noticeMs) };
  });
