import type { Servers } from "../../../src/demo/disaster.ts";
import type { Api } from "../api.ts";
import { ctr } from "../images.ts";
import { recorded } from "../processes.ts";
import { GATEWAY } from "./manifests.ts";
import type { VenueGround } from "./venue.ts";

/**
 * The servers of a region's gateways. Their processes are killed, and the kubelet, which would start them again and tell the cluster, stands still
 * until power is back: so long the API server calls every dead pod ready, and its Service leads users there, as it is when a server dies.
 */
export function serversIn({ api, places }: VenueGround, stack: AsyncDisposableStack): Servers {
  const signal = async (name: "SIGSTOP" | "SIGCONT"): Promise<void> => {
    for (const { part, pid } of await recorded(places)) if (part === "kubelet") process.kill(pid, name);
  };
  stack.defer(() => signal("SIGCONT"));
  return {
    async lose(region) {
      const containers = await containersIn(api, region);
      const pids = pidsIn(await ctr(places, ["tasks", "list"]));
      await signal("SIGSTOP");
      for (const container of containers) {
        const pid = pids.get(container);
        if (pid !== undefined) process.kill(pid, "SIGKILL");
      }
    },
    restore: () => signal("SIGCONT"),
  };
}

type Pods = {
  readonly items: readonly {
    readonly status: { readonly containerStatuses?: readonly { readonly containerID?: string }[] };
  }[];
};

/** Of every gateway, also of those in the dark, as containerd knows them. */
async function containersIn(api: Api, region: string): Promise<readonly string[]> {
  const lists = await Promise.all(
    [`app=${GATEWAY}`, `midflight.dev/dark=${GATEWAY}`].map(
      async (selector) =>
        (await api.call(
          "GET",
          `/api/v1/namespaces/${region}/pods?labelSelector=${encodeURIComponent(selector)}`,
        )) as Pods,
    ),
  );
  return lists.flatMap(({ items }) =>
    items.flatMap(({ status }) =>
      (status.containerStatuses ?? []).flatMap(({ containerID }) => containerID?.replace("containerd://", "") ?? []),
    ),
  );
}

/** Container → its first process: lines of an id, a pid and a state. */
const pidsIn = (list: string): ReadonlyMap<string, number> =>
  new Map(
    list.split("\n").flatMap((line): [string, number][] => {
      const [id, pid, state] = line.trim().split(/\s+/);
      return id !== undefined && state === "RUNNING" ? [[id, Number(pid)]] : [];
    }),
  );
