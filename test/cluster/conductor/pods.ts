import { expect } from "vitest";
import type { Api } from "../api.ts";
import { pause } from "../commands.ts";
import type { Ground } from "../driver/place.ts";
import { ctr } from "../images.ts";
import { STATE } from "./seat.ts";

export type ConductorPod = {
  readonly name: string;
  readonly phase: string;
  readonly node: string | undefined;
  /** Id of the container that runs, as containerd knows it. */
  readonly container: string | undefined;
  readonly isLeaving: boolean;
};

type Pods = {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly deletionTimestamp?: string;
    };
    readonly spec: { readonly nodeName?: string };
    readonly status: {
      readonly phase: string;
      readonly containerStatuses?: readonly {
        readonly containerID?: string;
        readonly state: { readonly running?: object };
      }[];
    };
  }[];
};

export async function conductorsOf(api: Api, run: string): Promise<readonly ConductorPod[]> {
  const { items } = (await api.call("GET", `/api/v1/namespaces/${STATE}/pods`)) as Pods;
  return items
    .filter(({ metadata }) => metadata.annotations?.["midflight.dev/run"] === run)
    .map(({ metadata, spec, status }) => {
      const [container] = status.containerStatuses ?? [];
      return {
        name: metadata.name,
        phase: status.phase,
        node: spec.nodeName,
        container:
          container?.state.running === undefined ? undefined : container.containerID?.replace("containerd://", ""),
        isLeaving: metadata.deletionTimestamp !== undefined,
      };
    });
}

/** The one that is at work, as soon as there is one. */
export async function conductorAtWork(
  api: Api,
  run: string,
): Promise<ConductorPod & { readonly container: string; readonly node: string }> {
  let found: readonly ConductorPod[] = [];
  await expect
    .poll(
      async () => {
        found = (await conductorsOf(api, run)).filter((one) => one.container !== undefined && !one.isLeaving);
        return found.length;
      },
      { timeout: 90_000, interval: 100 },
    )
    .toBe(1);
  const [pod] = found;
  if (pod?.container === undefined || pod.node === undefined) throw new Error("no conductor is at work");
  return { ...pod, container: pod.container, node: pod.node };
}

/** With its grace; without any; or only its process, so that the kubelet starts it in its place. */
export type Ending = "deleted" | "deleted at once" | "killed";

/** Ends the conductor that is at work, some time after it began. */
export async function endConductor(
  { api, places }: Ground,
  run: string,
  ending: Ending,
  afterMs: number,
): Promise<void> {
  const { name } = await conductorAtWork(api, run);
  // The moment is what is tried: nothing is waited for.
  await pause(afterMs);
  const pod = await conductorAtWork(api, run);
  expect(pod.name).toBe(name);
  if (ending === "killed") {
    await ctr(places, ["tasks", "kill", "--signal", "SIGKILL", pod.container]);
    await expect
      .poll(async () => (await conductorsOf(api, run)).some(({ container }) => container === pod.container), {
        timeout: 30_000,
        interval: 100,
      })
      .toBe(false);
  } else
    await api.call(
      "DELETE",
      `/api/v1/namespaces/${STATE}/pods/${name}`,
      ending === "deleted" ? {} : { gracePeriodSeconds: 0 },
    );
}
