import { createServer } from "node:http";
import type { Server } from "node:http";
import { listen } from "../listen.ts";
import { createAdmin } from "./admin.ts";
import { createPool } from "./pool.ts";
import { createRestProxy } from "./proxy-rest.ts";
import { createSocketProxy } from "./proxy-socket.ts";
import { loadState, saveState } from "./state.ts";

export type BalancerConfig = {
  readonly region: string;
  /** 0: any free one; for both ports. */
  readonly port: number;
  readonly adminPort: number;
  /** The file that survives a restart. */
  readonly statePath: string;
};

export type RunningBalancer = { readonly port: number; readonly adminPort: number; stop(): Promise<void> };

/** Longer than any client keeps an idle connection. */
const KEEP_ALIVE_MS = 75_000;

/** Starts a balancer on 127.0.0.1. Rejects when a port is taken or the state file is damaged. */
export const startBalancer = async (config: BalancerConfig): Promise<RunningBalancer> => {
  const pool = createPool(await loadState(config.statePath));
  const rest = createRestProxy(pool);
  const sockets = createSocketProxy(pool);
  const admin = createAdmin(pool, (state) => saveState(config.statePath, state));

  const open = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (request, response) => {
    if (request.url?.startsWith("/-/") === true) response.writeHead(404, { "content-length": 0 }).end();
    else void rest.serve(request, response);
  });
  open.on("upgrade", (request, client, head) => sockets.serve(request, client, head));
  const operators = createServer((request, response) => void admin(request, response));
  const [port, adminPort] = [await listen(open, config.port), await listen(operators, config.adminPort)];

  return {
    port,
    adminPort,
    async stop() {
      sockets.close();
      await Promise.all([end(open), end(operators)]);
      rest.close();
    },
  };
};

const end = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
