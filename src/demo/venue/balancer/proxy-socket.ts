import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { endpointOf } from "./backend.ts";
import type { Backend } from "./backend.ts";
import type { Pool } from "./pool.ts";

export type SocketProxy = {
  /** Connects a client's upgrade request to a backend and passes bytes both ways until either side ends. */
  serve(request: IncomingMessage, client: Duplex, head: Buffer): void;
  close(): void;
};

export const createSocketProxy = (pool: Pool): SocketProxy => {
  const open = new Set<Duplex>();

  const join = (backend: Backend, upstream: Socket, request: IncomingMessage, client: Duplex, head: Buffer): void => {
    const load = pool.load(backend.id);
    load.sockets += 1;
    open.add(client);
    upstream.write(headOf(request));
    upstream.write(head);
    upstream.pipe(client).pipe(upstream);
    const end = (): void => {
      if (!open.delete(client)) return;
      load.sockets -= 1;
      upstream.destroy();
      client.destroy();
    };
    upstream.on("error", end).on("close", end);
    client.on("error", end).on("close", end);
    pool.count(backend, 101);
  };

  const attempt = (request: IncomingMessage, client: Duplex, head: Buffer, except?: string): void => {
    const backend = pool.choose("socket", except);
    if (backend === undefined) return refuse(pool, client, except === undefined ? 503 : 502);
    const upstream = connect({ ...endpointOf(backend), noDelay: true });
    // Refused means that nothing was sent, so one other backend may be asked.
    upstream.once("error", () => {
      if (open.has(client)) return;
      if (except === undefined && !client.destroyed) attempt(request, client, head, backend.id);
      else refuse(pool, client, 502);
    });
    upstream.once("connect", () =>
      client.destroyed ? upstream.destroy() : join(backend, upstream, request, client, head),
    );
  };

  return {
    serve(request, client, head) {
      client.on("error", () => client.destroy());
      attempt(request, client, head);
    },
    close() {
      for (const client of open) client.destroy();
    },
  };
};

const headOf = (request: IncomingMessage): string => {
  const lines = [`${request.method ?? "GET"} ${request.url ?? "/"} HTTP/1.1`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    lines.push(`${request.rawHeaders[index] ?? ""}: ${request.rawHeaders[index + 1] ?? ""}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
};

const refuse = (pool: Pool, client: Duplex, status: 502 | 503): void => {
  pool.count(undefined, status);
  client.end(
    `HTTP/1.1 ${status} ${status === 503 ? "Service Unavailable" : "Bad Gateway"}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
};
