import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Api } from "../api.ts";
import { until } from "../commands.ts";
import { NODE_IP } from "../facts.ts";
import { placeOn, REGIONS, type Ground, type Place } from "../driver/place.ts";
import { start, type Running } from "../../support/cli.ts";

const DEPLOY = fileURLToPath(new URL("../../../deploy", import.meta.url));
export const STATE = "midflight";
const PODS = 3;

/** Gives the conductor what `deploy/` says that it needs, and a way from pods to the API server. Resolves with how that way ends. */
export async function prepare({ api, facts }: Ground): Promise<() => Promise<void>> {
  await make(api, "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: STATE } });
  await apply(api, "conductor", STATE);
  for (const region of REGIONS) for (const base of ["region", "probes"]) await apply(api, base, region);
  await apply(api, "jobs", "tokyo");
  const server = createServer((client) => {
    const upstream = connect(facts.ports.api, "127.0.0.1");
    for (const socket of [client, upstream])
      socket.on("error", () => [client, upstream].forEach((one) => one.destroy()));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, NODE_IP, resolve));
  const { port } = server.address() as AddressInfo;
  const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  await api.call("DELETE", `${slices}/kubernetes`).catch(() => undefined);
  await make(api, slices, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "kubernetes", labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    ports: [{ name: "https", port, protocol: "TCP" }],
    endpoints: [{ addresses: [NODE_IP], conditions: { ready: true } }],
  });
  return async () => {
    await api.call("DELETE", `${slices}/kubernetes`);
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
}

type Manifest = { readonly kind: string; readonly metadata: { readonly name: string } };
const PATHS: Readonly<Record<string, string>> = {
  ServiceAccount: "/api/v1/namespaces/{}/serviceaccounts",
  Role: "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
  RoleBinding: "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
};

/** A kustomization that sets a namespace and nothing else. */
async function apply(api: Api, base: string, namespace: string): Promise<void> {
  const { resources } = parse(await readFile(join(DEPLOY, base, "kustomization.yaml"), "utf8")) as {
    readonly resources: readonly string[];
  };
  for (const file of resources) {
    const manifest = parse(await readFile(join(DEPLOY, base, file), "utf8")) as Manifest;
    await make(api, (PATHS[manifest.kind] ?? manifest.kind).replace("{}", namespace), manifest);
  }
}

const make = async (api: Api, path: string, body: object): Promise<void> => {
  await api.call("POST", path, body).catch((error: unknown) => {
    if (!String(error).includes(" 409 ")) throw error;
  });
};

export type SeatOptions = {
  /** Whether each region is probed by a pod of its own. */
  readonly isProbedWithin?: boolean;
  /** Whether what the new release answers counts as a failure. */
  readonly isBad?: boolean;
};

/** An environment of its own, with Deployments of three pods in both regions, and a folder from where it is upgraded. */
export type Seat = {
  readonly place: Place;
  readonly env: Readonly<Record<string, string>>;
  /** From the folder with the plan. */
  begin(args: readonly string[]): Running;
  /** From any other machine: an empty folder, and nothing but the kubeconfig. */
  elsewhere(args: readonly string[]): Running;
  pods(region: string): Promise<readonly string[]>;
  close(): Promise<void>;
};

export async function seatOn(ground: Ground, image: string, options: SeatOptions = {}): Promise<Seat> {
  const place = await placeOn(ground, { replicas: PODS });
  const dir = await mkdtemp(join(tmpdir(), "midflight-seat-"));
  const other = await mkdtemp(join(tmpdir(), "midflight-elsewhere-"));
  const { signal } = new AbortController();
  const pods = async (region: string): Promise<readonly string[]> =>
    (await place.driver.workload.observe(region, signal)).instances.map((one) => `${one.release} ${one.ready}`);
  for (const region of REGIONS)
    await until(
      `the pods of ${region}`,
      60_000,
      async () => isAll("1.0", await pods(region)) || "not all are there",
      200,
    );
  await writeFile(join(dir, "plan.yaml"), PLAN);
  await writeFile(join(dir, "job.yaml"), jobOf(ground));
  await writeFile(join(dir, "releases.yaml"), releasesOf(ground));
  await writeFile(join(dir, "environment.yaml"), await environmentOf(ground, place, image, options));
  const env = { KUBECONFIG: ground.places.kubeconfig };
  const from = (cwd: string) => (args: readonly string[]) => start(args, { cwd, env, limitMs: 280_000 });
  return {
    place,
    env,
    begin: from(dir),
    elsewhere: from(other),
    pods,
    async close() {
      await place.close();
      for (const folder of [dir, other]) await rm(folder, { recursive: true, force: true });
    },
  };
}

export const all = (version: string): readonly string[] =>
  Array.from({ length: PODS }, () => `gateway@${version} true`);

/** Whether nobody else is there. */
export const isAll = (version: string, found: readonly string[]): boolean => found.join() === all(version).join();

const PLAN = `midflight: 1
plan: pods
components:
  gateway: { release: gateway@2.0 }
steps:
  - run: { job: { manifest: job.yaml } }
    deadline: 1m
  - roll: gateway
    dark: { exclude: 20%, confidence: 90% }
    waves:
      - { regions: [tokyo], batch: 1, surge: 1, soak: 2s }
      - { regions: rest, batch: 2, surge: 2, soak: 2s }
guard:
  operations: [look]
  deadline: 5s
  slowerThan: 4s
  baseline: { atMost: 1% }
`;

const releasesOf = ({ images }: Ground): string =>
  `midflight: 1\nreleases:\n${["1.0", "2.0"].map((version) => `  gateway@${version}: { kubernetes: { image: "${images[version] ?? ""}" } }\n`).join("")}`;

const jobOf = ({ images }: Ground): string => `apiVersion: batch/v1
kind: Job
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: tool
          image: ${images["1.0"] ?? ""}
          imagePullPolicy: Never
          command: [/usr/bin/node, -e, "console.log('moved for ' + process.env.MIDFLIGHT_RUN)"]
`;

async function environmentOf(
  { api, facts }: Ground,
  { name }: Place,
  image: string,
  { isProbedWithin = false, isBad = false }: SeatOptions,
): Promise<string> {
  const regions = await Promise.all(
    REGIONS.map(async (region) => {
      const { spec } = (await api.call("GET", `/api/v1/namespaces/${region}/services/${name}`)) as {
        readonly spec: { readonly clusterIP: string };
      };
      return `  ${region}: { probe: { http: { url: "http://${spec.clusterIP}", rules: plain, operations: { look: { method: GET, path: / } } }${isProbedWithin ? `, in: { context: ${region}, namespace: ${region}, image: "${image}" }` : ""} } }\n`;
    }),
  );
  return `midflight: 1
environment: ${name}
class: demo
regions:
${regions.join("")}rules:
  plain: { code: [release], codes: ${isBad ? `{ ok: ["1.0"], service: ["2.0"] }` : `{ ok: ["1.0", "2.0"] }`} }
components:
  gateway: { driver: kubernetes, deployment: ${name}, container: gateway, service: ${name}, contexts: { tokyo: tokyo, frankfurt: frankfurt }, instances: ${PODS}, port: 8080 }
jobs: { context: tokyo, namespace: tokyo }
state: { kubernetes: { context: ${facts.name}, namespace: ${STATE} } }
inCluster: { image: "${image}", serviceAccount: midflight, context: ${facts.name}, namespace: ${STATE} }
`;
}
