import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request as tlsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { apiUrl } from "../../test/cluster/facts.ts";
import { caOf } from "../../test/cluster/kubeconfig.ts";
import type { Cluster } from "./cluster.ts";

/** A request of a conductor to the API server. Bytes are those of bodies, without heads and encryption. */
export type Asked = {
  /** Time of asking, ms since the epoch. */
  readonly at: number;
  /** Such as `GET pods`, `WATCH pods`, `PATCH deployments`. */
  readonly what: string;
  sentBytes: number;
  receivedBytes: number;
};

/** Stands between a conductor and the API server, and counts what passes. */
export type CountingProxy = AsyncDisposable & { readonly url: string; readonly asked: readonly Asked[] };

export async function countingProxy({ facts, places }: Cluster): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true, ca: await readFile(caOf(places)) });
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const one: Asked = { at: Date.now(), what: whatOf(request), sentBytes: 0, receivedBytes: 0 };
    asked.push(one);
    pass(request, response, { url: new URL(request.url ?? "/", apiUrl(facts)), agent, one });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

type Passing = { readonly url: URL; readonly agent: Agent; readonly one: Asked };

function pass(request: IncomingMessage, response: ServerResponse, { url, agent, one }: Passing): void {
  const headers = { ...request.headers, host: url.host };
  const upstream = tlsRequest(url, { method: request.method ?? "GET", headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // A watch has a head long before it has news.
    response.flushHeaders();
    answer.on("data", (chunk: Buffer) => {
      one.receivedBytes += chunk.length;
    });
    answer.once("error", () => response.destroy());
    answer.pipe(response);
  });
  upstream.once("error", () => response.destroy());
  response.once("close", () => upstream.destroy());
  request.on("data", (chunk: Buffer) => {
    one.sentBytes += chunk.length;
  });
  request.pipe(upstream);
}

function whatOf({ method, url = "" }: IncomingMessage): string {
  const resource = /\/namespaces\/[^/]+\/([a-z]+)/.exec(url)?.[1] ?? url.split("?")[0] ?? "";
  return `${/[?&]watch=true/.test(url) ? "WATCH" : (method ?? "GET")} ${resource}`;
}

/** The cluster's kubeconfig with every server behind the proxy. Resolves with its path. */
export async function kubeconfigBehind({ places }: Cluster, { url }: CountingProxy, path: string): Promise<string> {
  const config = JSON.parse(await readFile(places.kubeconfig, "utf8")) as {
    readonly clusters: readonly { readonly name: string }[];
  };
  // The client refuses to speak without encryption unless it is told that it may.
  const cluster = { server: url, "insecure-skip-tls-verify": true };
  const clusters = config.clusters.map(({ name }) => ({ name, cluster }));
  await writeFile(path, JSON.stringify({ ...config, clusters }), { mode: 0o600 });
  return path;
}
