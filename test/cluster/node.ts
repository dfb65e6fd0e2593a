import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Api } from "./api.ts";
import type { Binaries } from "./build.ts";
import { attempt, run, until } from "./commands.ts";
import { BRIDGE, NODE, NODE_IP, POD_SUBNET, type ClusterFacts } from "./facts.ts";
import { ctr, loadImage } from "./images.ts";
import { writePartConfig } from "./kubeconfig.ts";
import type { Places } from "./places.ts";
import { refuseDead, start } from "./processes.ts";

export const PAUSE = "localhost/pause:1";

/** containerd, a bridge for the pods, kubelet and kube-proxy. Resolves when the node is ready. */
export async function startNode(places: Places, facts: ClusterFacts, built: Binaries, api: Api): Promise<void> {
  await makeBridge();
  await startContainerd(places);
  await loadImage(places, { tag: PAUSE, files: { pause: built.pause }, entrypoint: ["/pause"] });
  const kubelet = await startKubelet(places, built, {
    node: NODE,
    kubeconfig: await writePartConfig(places, facts, "kubelet"),
    ports: facts.ports,
  });
  const proxy = await startProxy(places, facts, built);
  await until("the node", 90_000, async () => {
    await refuseDead(places, [kubelet, proxy]);
    if (!(await isNodeReady(api))) return "not ready yet";
    const { ok, status } = await fetch(`http://127.0.0.1:${facts.ports.proxyHealth}/healthz`);
    return ok ? true : `kube-proxy says ${status}`;
  });
  await weighPods();
}

/**
 * A kubelet lets all its pods together weigh as much as one busy process a core, because elsewhere nobody else is on the node. Here everything else
 * is: users, stores, the control plane, tests. So that pods are as quick as processes of this machine, they weigh as much as so many.
 */
const weighPods = async (): Promise<void> => {
  // Of the two kinds of control groups a machine has one; where it has none, nothing is weighed.
  await writeFile("/sys/fs/cgroup/cpu/kubepods/cpu.shares", String(BUSY_PODS * 1_024), { flag: "r+" }).catch(() => {});
  await writeFile("/sys/fs/cgroup/kubepods/cpu.weight", String(BUSY_PODS * 100), { flag: "r+" }).catch(() => {});
};
const BUSY_PODS = 16;

export const isNodeReady = async (api: Api, name = NODE): Promise<boolean> => {
  const node = (await api.call("GET", `/api/v1/nodes/${name}`)) as {
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  };
  return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
};

// It is there before the first pod, so that the node has an address that only this machine reaches.
const makeBridge = async (): Promise<void> => {
  if ((await attempt("ip", ["link", "show", BRIDGE])) === "")
    await run("ip", ["link", "add", BRIDGE, "type", "bridge"]);
  await attempt("ip", ["address", "add", `${NODE_IP}/22`, "dev", BRIDGE]);
  await run("ip", ["link", "set", BRIDGE, "up"]);
  await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
};

/** `network`: whose pods' addresses are not to be given away twice. */
export const startContainerd = async (places: Places, network = places): Promise<void> => {
  const at = (file: string): string => join(places.dir, file);
  await mkdir(at("cni"), { recursive: true });
  await writeFile(
    at("cni/10-pods.conflist"),
    JSON.stringify({
      cniVersion: "0.4.0",
      name: "midflight",
      plugins: [
        {
          type: "bridge",
          bridge: BRIDGE,
          isGateway: true,
          hairpinMode: true,
          ipam: {
            type: "host-local",
            dataDir: join(network.dir, "addresses"),
            ranges: [[{ subnet: POD_SUBNET, gateway: NODE_IP }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    }),
  );
  await writeFile(
    at("containerd.toml"),
    `version = 2
root = ${quoted(at("containerd"))}
state = ${quoted(at("containerd-state"))}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = ${quoted(places.socket)}
[ttrpc]
address = ${quoted(`${places.socket}.ttrpc`)}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${quoted(PAUSE)}
netns_mounts_under_state_dir = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = ${quoted(at("cni"))}
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
Root = ${quoted(at("runc"))}
`,
  );
  const containerd = await start(places, "containerd", "containerd", ["--config", at("containerd.toml")]);
  await until("containerd", 30_000, async () => {
    await refuseDead(places, [containerd]);
    await ctr(places, ["version"], 5_000);
    return true;
  });
};

export type KubeletOptions = {
  readonly node: string;
  readonly kubeconfig: string;
  readonly ports: { readonly kubelet: number; readonly kubeletHealth: number };
  readonly more?: object;
};

export const startKubelet = async (
  places: Places,
  { dir }: Binaries,
  { node, kubeconfig, ports, more }: KubeletOptions,
) => {
  const at = (file: string): string => join(places.dir, file);
  await writeFile(
    at("kubelet.json"),
    JSON.stringify({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      address: NODE_IP,
      port: ports.kubelet,
      readOnlyPort: 0,
      healthzPort: ports.kubeletHealth,
      // Its address is on a bridge that only this machine and the test's own pods reach.
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: "AlwaysAllow" },
      cgroupDriver: "cgroupfs",
      // kube-proxy needs none of the chains that a kubelet puts into everybody's tables.
      makeIPTablesUtilChains: false,
      failSwapOn: false,
      failCgroupV1: false,
      localStorageCapacityIsolation: false,
      evictionHard: { "memory.available": "10Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
      imageGCHighThresholdPercent: 100,
      maxPods: 500,
      resolvConf: "",
      containerRuntimeEndpoint: `unix://${places.socket}`,
      podLogsDir: at("pod-logs"),
      volumePluginDir: at("volume-plugins"),
      registryPullQPS: 0,
      registerNode: true,
      nodeStatusUpdateFrequency: "5s",
      ...more,
    }),
  );
  return start(places, "kubelet", join(dir, "kubelet"), [
    `--config=${at("kubelet.json")}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${node}`,
    `--node-ip=${NODE_IP}`,
    `--root-dir=${at("kubelet")}`,
    `--cert-dir=${at("kubelet-certs")}`,
  ]);
};

const startProxy = async (places: Places, facts: ClusterFacts, { dir }: Binaries) => {
  const file = join(places.dir, "kube-proxy.json");
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode: "nftables",
      hostnameOverride: NODE,
      bindAddress: NODE_IP,
      clusterCIDR: POD_SUBNET,
      clientConnection: { kubeconfig: await writePartConfig(places, facts, "proxy") },
      // What it would set for the whole machine stays as it is.
      conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
      // Pods share one bridge: an answer from pod to pod would pass by the translation otherwise.
      nftables: { masqueradeAll: true, syncPeriod: "30s", minSyncPeriod: "1s" },
      healthzBindAddress: `127.0.0.1:${facts.ports.proxyHealth}`,
      metricsBindAddress: `127.0.0.1:${facts.ports.proxyMetrics}`,
    }),
  );
  return start(places, "kube-proxy", join(dir, "kube-proxy"), [`--config=${file}`]);
};

const quoted = (text: string): string => JSON.stringify(text);
