import type { Api } from "../api.ts";
import { pause, until } from "../commands.ts";
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

type AtWork = ConductorPod & { readonly container: string; readonly node: string };

/** The one that is at work, as soon as there is one; undefined when one of them has come to the end of the run. */
async function conductorAtWork(api: Api, run: string): Promise<AtWork | undefined> {
  let found: AtWork | undefined;
  await until("a conductor at work", 90_000, async () => {
    const pods = await conductorsOf(api, run);
    if (pods.some(({ phase }) => phase === "Succeeded")) return true;
    const [one, another] = pods.filter(({ container, isLeaving }) => container !== undefined && !isLeaving);
    if (one?.container === undefined || one.node === undefined || another !== undefined)
      return `${pods.length} pods: ${pods.map(({ name, phase }) => `${name} ${phase}`).join(", ")}`;
    found = { ...one, container: one.container, node: one.node };
    return true;
  });
  return found;
}

/** With its grace; without any; or only its process, so that the kubelet starts it in its place. */
export type Ending = "deleted" | "deleted at once" | "killed";

/** Ends the conductor that is at work, some time after it began. Resolves with whether it was still at work then: a run may be over. */
export async function endConductor(
  { api, places }: Pick<Ground, "api" | "places">,
  run: string,
  ending: Ending,
  afterMs: number,
): Promise<boolean> {
  if ((await conductorAtWork(api, run)) === undefined) return false;
  // The moment is what is tried: nothing is waited for.
  await pause(afterMs);
  const pod = await conductorAtWork(api, run);
  if (pod === undefined) return false;
  if (ending === "killed") {
    await ctr(places, ["tasks", "kill", "--signal", "SIGKILL", pod.container]);
    await until("its process to be gone", 30_000, async () => {
      const pods = await conductorsOf(api, run);
      return !pods.some(({ container }) => container === pod.container) || "it is still there";
    });
  } else
    await api.call(
      "DELETE",
      `/api/v1/namespaces/${STATE}/pods/${pod.name}`,
      ending === "deleted" ? {} : { gracePeriodSeconds: 0 },
    );
  return true;
}
