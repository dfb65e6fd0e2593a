import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { HttpRoute } from "../../../src/adapters/kubernetes/route/http-route.ts";
import { untakenIn } from "../../../src/adapters/kubernetes/route/http-route.ts";
import { until } from "../commands.ts";
import type { Ground } from "../driver/place.ts";
import { apiUrl } from "../facts.ts";
import type { GatewayBinary } from "./build.ts";

/** A gateway on this machine, which serves HTTPRoutes of tokyo from the pods' addresses. */
export type Gateway = {
  readonly url: string;
  /** An HTTPRoute that sends everybody to the first Service, and the second Service of its rule. Resolves once it is served. */
  expose(name: string, beside: string): Promise<Route>;
  /** It stands still, as a process that hangs, or goes on. */
  hang(isHung: boolean): void;
  close(): Promise<void>;
};

export type Route = {
  /** Address under which the gateway serves it, and nothing else. */
  readonly url: string;
  read(): Promise<HttpRoute>;
  patch(ops: readonly object[]): Promise<void>;
  close(): Promise<void>;
};

const ROOT = "/apis/gateway.networking.k8s.io/v1";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CLASS = "midflight-test";
const GATEWAY = "edge";

/** With the definitions of its objects, which go with it. Its settings are its own defaults, also how often it takes up what it read. */
export async function gatewayOn({ api, facts, ca }: Ground, { program, crds }: GatewayBinary): Promise<Gateway> {
  const names: string[] = [];
  for (const file of crds) {
    const crd = parse(await readFile(file, "utf8")) as { readonly metadata: { readonly name: string } };
    await api.call("POST", CRDS, crd);
    names.push(crd.metadata.name);
  }
  const created = (path: string, body: object): Promise<void> =>
    until(`${path} to be known`, 20_000, () =>
      api.call("POST", path, body).then(
        () => true as const,
        (error: unknown) => String(error),
      ),
    );
  const port = await freePort();
  await created(`${ROOT}/gatewayclasses`, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: CLASS },
    spec: { controllerName: "traefik.io/gateway-controller" },
  });
  await created(`${ROOT}/namespaces/tokyo/gateways`, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: GATEWAY },
    spec: { gatewayClassName: CLASS, listeners: [{ name: "web", protocol: "HTTP", port }] },
  });
  const dir = await mkdtemp(join(tmpdir(), "midflight-gateway-"));
  const token = join(dir, "token");
  await writeFile(token, facts.tokens.admin);
  const child = spawn(
    program,
    [
      `--entryPoints.web.address=127.0.0.1:${port}`,
      `--providers.kubernetesGateway.endpoint=${apiUrl(facts)}`,
      `--providers.kubernetesGateway.token=${token}`,
      `--providers.kubernetesGateway.certAuthFilePath=${ca}`,
      "--providers.kubernetesGateway.namespaces=tokyo",
      "--global.checkNewVersion=false",
      "--global.sendAnonymousUsage=false",
      "--log.level=ERROR",
    ],
    { cwd: dir, stdio: ["ignore", "ignore", "inherit"] },
  );
  await once(child, "spawn");
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  return {
    url: `http://127.0.0.1:${port}/`,
    async expose(name, beside) {
      const path = `${ROOT}/namespaces/tokyo/httproutes/${name}`;
      const read = async () => (await api.call("GET", path)) as HttpRoute;
      await api.call("POST", "/api/v1/namespaces/tokyo/services", {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: beside },
        spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
      });
      await api.call("POST", `${ROOT}/namespaces/tokyo/httproutes`, {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name },
        spec: {
          parentRefs: [{ name: GATEWAY }],
          rules: [
            {
              matches: [{ path: { type: "PathPrefix", value: `/${name}/` } }],
              filters: [
                { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
              ],
              backendRefs: [
                { name, port: 80, weight: 1 },
                { name: beside, port: 80, weight: 0 },
              ],
            },
          ],
        },
      });
      await until(`httproute ${name} to be taken`, 30_000, async () => untakenIn(await read())?.text ?? true);
      return {
        url: `http://127.0.0.1:${port}/${name}/`,
        read,
        patch: async (ops) => void (await api.call("PATCH", path, ops, "application/json-patch+json")),
        async close() {
          await api.call("DELETE", path);
          await api.call("DELETE", `/api/v1/namespaces/tokyo/services/${beside}`);
        },
      };
    },
    hang: (isHung) => void child.kill(isHung ? "SIGSTOP" : "SIGCONT"),
    async close() {
      process.off("exit", end);
      const ended = child.exitCode === null ? once(child, "exit") : Promise.resolve();
      end();
      await ended;
      await rm(dir, { recursive: true, force: true });
      await api.call("DELETE", `${ROOT}/namespaces/tokyo/gateways/${GATEWAY}`);
      await api.call("DELETE", `${ROOT}/gatewayclasses/${CLASS}`);
      for (const name of names) await api.call("DELETE", `${CRDS}/${name}`);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
