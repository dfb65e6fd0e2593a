import { createServer } from "node:http";
import { listen } from "../listen.ts";
import { createKeyring } from "./auth.ts";
import type { GatewayConfig } from "./config.ts";
import type { GatewayContext } from "./context.ts";
import { createDrain } from "./drain.ts";
import type { Drain } from "./drain.ts";
import type { EngineLink } from "./engine-link.ts";
import { createLastPrices } from "./last-prices.ts";
import { createLimits } from "./limits.ts";
import type { Metadata } from "./metadata.ts";
import { createMetrics } from "./metrics.ts";
import { withNoise } from "./noise.ts";
import { engineOperations } from "./operations.ts";
import type { Release } from "./release.ts";
import { serveRest } from "./rest.ts";
import { createHub } from "./socket/hub.ts";
import { createSockets } from "./socket/server.ts";

/** A gateway that listens. */
export type RunningGateway = {
  readonly port: number;
  readonly drain: Drain;
  /** Drains with `noticeMs` of notice, or what is left of the notice already given, and ends. Never rejects. */
  stop(noticeMs: number): Promise<void>;
};

/** What a gateway stands on. It closes both when it stops. */
export type Stores = { readonly metadata: Metadata; readonly engine: EngineLink };

/** How long operations in flight may take to finish, in ms: the engine's deadline and a little. */
const FINISH_MS = 1_500;
/** How long clients get to answer the closing of their sockets, in ms. */
const GOODBYE_MS = 500;
/** Longer than any client keeps an idle connection, so that it is never the server that closes one under a request. */
const KEEP_ALIVE_MS = 75_000;

/** Starts a gateway of the release. Rejects when the port is taken. */
export const startGateway = async (
  config: GatewayConfig,
  release: Release,
  { metadata, engine }: Stores,
): Promise<RunningGateway> => {
  const hub = createHub(engine);
  const lastPrices = createLastPrices(engine);
  const sockets = createSockets(hub, () => context);
  const common = withNoise(engineOperations(engine), config.noise, config.instance);
  const context: GatewayContext = {
    config,
    engine,
    metadata,
    operations: release.refine?.(common, engine) ?? common,
    lastPrices,
    limits: createLimits(() => performance.now()),
    metrics: createMetrics(config),
    keyring: createKeyring(config.env, config.keySeed),
    drain: createDrain({
      onNotice: (spreadMs) => sockets.notice(spreadMs),
      onUndone: () => sockets.undo(),
      onClosed: () => sockets.leave(),
    }),
    now: Date.now,
  };
  engine.follow((event) => {
    lastPrices.onEvent(event);
    hub.onEvent(event);
  });

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (request, response) => {
    void serveRest(request, response, context, () => sockets.count());
  });
  server.on("upgrade", (request, socket, head: Buffer) => sockets.upgrade(request, socket, head));
  const port = await listen(server, config.port, config.host);

  return {
    port,
    drain: context.drain,
    async stop(noticeMs) {
      context.drain.start(noticeMs);
      const patienceMs = (context.drain.timeLeftMs() ?? 0) + FINISH_MS;
      await within(patienceMs, context.drain.settled());
      server.close();
      server.closeIdleConnections();
      await within(
        GOODBYE_MS,
        until(() => sockets.count() === 0),
      );
      sockets.terminate();
      server.closeAllConnections();
      hub.close();
      await engine.close();
      await metadata.close();
    },
  };
};

const within = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
};

const until = async (isTrue: () => boolean): Promise<void> => {
  const deadline = performance.now() + GOODBYE_MS;
  while (!isTrue() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
};
