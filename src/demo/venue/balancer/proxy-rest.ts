import { Agent, request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { endpointOf } from "./backend.ts";
import type { Backend } from "./backend.ts";
import type { Pool } from "./pool.ts";

export type RestProxy = {
  /** Forwards one request and answers it, whatever happens. Never rejects. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): void;
};

const MAX_BODY_BYTES = 1_048_576;
/** Below the gateways' own keep-alive, so that a reused connection is not just being closed by the other side. */
const IDLE_MS = 30_000;
/** An answer takes at most the gateways' deadlines; a gateway that hangs longer is given up, in ms. */
const ANSWER_MS = 5_000;

/** Counted for a request whose client was gone before its answer. */
const CLIENT_LEFT = 499;

/** Hop-by-hop headers end here: a gateway that says goodbye to the balancer says nothing to its client. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "upgrade",
  "trailer",
]);

export const createRestProxy = (pool: Pool): RestProxy => {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

  const attempt = (
    backend: Backend,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<Attempt> =>
    new Promise((resolve) => {
      const load = pool.load(backend.id);
      const headers = [
        ...endToEnd(request.rawHeaders),
        "Connection",
        "keep-alive",
        "Content-Length",
        String(body.length),
      ];
      const upstream = httpRequest({
        ...endpointOf(backend),
        agent,
        method: request.method ?? "GET",
        path: request.url ?? "/",
        headers,
        timeout: ANSWER_MS,
      });
      const giveUp = (): void => void upstream.destroy();
      let isFinished = false;
      const finish = (outcome: Attempt): void => {
        if (isFinished) return;
        isFinished = true;
        load.inflight -= 1;
        response.off("close", giveUp);
        resolve(outcome);
      };
      load.inflight += 1;
      response.on("close", giveUp);
      upstream.on("timeout", giveUp);
      upstream.on("error", (error: NodeJS.ErrnoException) =>
        finish(error.code === "ECONNREFUSED" ? "refused" : "lost"),
      );
      upstream.on("response", (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
        answer.pipe(response);
        answer.on("end", () => finish(answer.statusCode ?? 502));
        // The head is out already: the client can only learn of the loss by losing its connection.
        answer.on("error", () => response.destroy());
        answer.on("close", () => finish("lost"));
      });
      upstream.end(body);
    });

  return {
    async serve(request, response) {
      const body = await readBody(request).catch(() => undefined);
      if (body === undefined) return answer(response, 413, "text/plain", "Payload Too Large");
      const first = pool.choose("request");
      if (first === undefined) return unavailable(pool, response);
      let [backend, outcome] = [first, await attempt(first, request, body, response)];
      const second = outcome === "refused" ? pool.choose("request", first.id) : undefined;
      if (second !== undefined) [backend, outcome] = [second, await attempt(second, request, body, response)];
      if (typeof outcome === "number") return pool.count(backend, outcome);
      pool.count(backend, response.destroyed ? CLIENT_LEFT : 502);
      if (!response.headersSent) answer(response, 502, "text/plain", "Bad Gateway");
    },
    close: () => agent.destroy(),
  };
};

/** A status that reached the client. `refused`: the backend took no connection, so nothing was sent. `lost`: nobody knows. */
type Attempt = number | "refused" | "lost";

const unavailable = (pool: Pool, response: ServerResponse): void => {
  pool.count(undefined, 503);
  answer(
    response,
    503,
    "application/json",
    JSON.stringify({ code: "50001", msg: "Service temporarily unavailable", data: [] }),
  );
};

const answer = (response: ServerResponse, status: number, type: string, text: string): void => {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
};

const endToEnd = (raw: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && lower !== "content-length") kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
};

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
