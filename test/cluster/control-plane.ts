import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { apiAt, type Api } from "./api.ts";
import type { Binaries } from "./build.ts";
import { until } from "./commands.ts";
import { apiUrl, SERVICE_SUBNET, type ClusterFacts } from "./facts.ts";
import { caOf, writeKubeconfig, writePartConfig } from "./kubeconfig.ts";
import type { Places } from "./places.ts";
import { refuseDead, start } from "./processes.ts";

/** etcd, API server and controllers; a scheduler where there is a node to schedule to. Resolves when it answers. */
export async function startControlPlane(places: Places, facts: ClusterFacts, { dir }: Binaries): Promise<Api> {
  const at = (file: string): string => join(places.dir, file);
  const { ports, tokens } = facts;
  await mkdir(at("certs"), { recursive: true, mode: 0o700 });
  await writeServiceAccountKeys(places);
  await writeFile(
    at("tokens.csv"),
    [
      `${tokens.admin},admin,admin,"system:masters"`,
      `${tokens.controllers},system:kube-controller-manager,controllers,"system:authenticated"`,
      `${tokens.scheduler},system:kube-scheduler,scheduler,"system:authenticated"`,
      `${tokens.kubelet},system:node:node-1,kubelet,"system:nodes"`,
      `${tokens.proxy},system:kube-proxy,proxy,"system:authenticated"`,
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  // It is lost with the machine anyway.
  const etcd = await start(places, "etcd", join(dir, "etcd"), [
    "--name=only",
    `--data-dir=${at("etcd")}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=http://127.0.0.1:${ports.etcd}`,
    `--advertise-client-urls=http://127.0.0.1:${ports.etcd}`,
    `--listen-peer-urls=http://127.0.0.1:${ports.peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${ports.peer}`,
    `--initial-cluster=only=http://127.0.0.1:${ports.peer}`,
    "--log-level=warn",
  ]);
  const server = await start(places, "kube-apiserver", join(dir, "kube-apiserver"), [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${ports.api}`,
    `--cert-dir=${at("certs")}`,
    `--service-cluster-ip-range=${SERVICE_SUBNET}`,
    "--endpoint-reconciler-type=none",
    `--token-auth-file=${at("tokens.csv")}`,
    "--authorization-mode=Node,RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${at("service-accounts.pub")}`,
    `--service-account-signing-key-file=${at("service-accounts.key")}`,
    "--allow-privileged",
    "--kubelet-preferred-address-types=InternalIP",
    "--profiling=false",
  ]);
  const ask = async (): Promise<true | string> => {
    await refuseDead(places, [etcd, server]);
    const asked = await apiAt(apiUrl(facts), tokens.admin, caOf(places));
    try {
      return (await asked.call("GET", "/readyz")) === "ok" ? true : "not ready";
    } finally {
      asked.close();
    }
  };
  await until("the API server", 60_000, ask);
  await writeKubeconfig(places, facts);
  const config = await writePartConfig(places, facts, "controllers");
  await start(places, "kube-controller-manager", join(dir, "kube-controller-manager"), [
    `--kubeconfig=${config}`,
    `--service-account-private-key-file=${at("service-accounts.key")}`,
    `--root-ca-file=${caOf(places)}`,
    "--use-service-account-credentials",
    // Where nothing really runs, many pods are to come and go, and the controllers are not to be what is measured.
    ...(facts.hasNode ? [] : ["--kube-api-qps=500", "--kube-api-burst=1000"]),
    "--leader-elect=false",
    "--secure-port=0",
    "--profiling=false",
  ]);
  if (facts.hasNode)
    await start(places, "kube-scheduler", join(dir, "kube-scheduler"), [
      `--kubeconfig=${await writePartConfig(places, facts, "scheduler")}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--profiling=false",
    ]);
  const api = await apiAt(apiUrl(facts), tokens.admin, caOf(places));
  for (const region of facts.regions) await ensureNamespace(api, region);
  await until("the service accounts of the namespaces", 60_000, async () => {
    for (const namespace of ["default", ...facts.regions])
      await api.call("GET", `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
    return true;
  });
  return api;
}

const ensureNamespace = async (api: Api, name: string): Promise<void> => {
  try {
    await api.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(" 409 "))) throw error;
  }
};

const writeServiceAccountKeys = async (places: Places): Promise<void> => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  await writeFile(join(places.dir, "service-accounts.pub"), publicKey);
  await writeFile(join(places.dir, "service-accounts.key"), privateKey, { mode: 0o600 });
};
