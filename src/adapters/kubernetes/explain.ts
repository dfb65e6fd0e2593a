import type { Condition, ContainerStatus, Event, Metadata, Pod } from "./api/objects.ts";

/** Why something does not come, in a sentence. `isHopeless`: waiting does not bring it. */
export type Trouble = { readonly text: string; readonly isHopeless: boolean };

/** What pods belong to, with what its controller says of it. */
type Owner = { readonly metadata: Metadata; readonly status?: { readonly conditions?: readonly Condition[] } };

/** The worst that is known of these pods, or of a Deployment that cannot make any: other controllers say nothing but in events. */
export function troubleOf(pods: readonly Pod[], owner: Owner): Trouble | undefined {
  const troubles = [
    ...pods.flatMap((pod): readonly Trouble[] => {
      const trouble = podTrouble(pod);
      return trouble === undefined ? [] : [trouble];
    }),
    ...ownerTroubles(owner),
  ];
  return troubles.find(({ isHopeless }) => isHopeless) ?? troubles[0];
}

function podTrouble(pod: Pod): Trouble | undefined {
  const { name } = pod.metadata;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const troubles = statuses.flatMap((status): readonly Trouble[] => {
    const trouble = containerTrouble(status);
    return trouble === undefined ? [] : [{ ...trouble, text: `${name}: container ${status.name} ${trouble.text}` }];
  });
  return troubles.find(({ isHopeless }) => isHopeless) ?? troubles[0] ?? unplaced(pod) ?? notAnswering(pod);
}

/** Restarts after which a container that ends is no accident. */
const CRASHES = 2;

function containerTrouble({ state, lastState, restartCount = 0 }: ContainerStatus): Trouble | undefined {
  const reason = state?.waiting?.reason;
  const told = state?.waiting?.message === undefined ? "" : `: ${state.waiting.message}`;
  switch (reason) {
    case "ErrImagePull":
      return { text: `cannot pull its image${told}`, isHopeless: false };
    case "ImagePullBackOff":
      return { text: `cannot pull its image, tried again and again${told}`, isHopeless: true };
    case "ErrImageNeverPull":
    case "InvalidImageName":
      return { text: `has an image that is not there (${reason})${told}`, isHopeless: true };
    case "CreateContainerConfigError":
    case "CreateContainerError":
    case "RunContainerError":
      return { text: `cannot be started (${reason})${told}`, isHopeless: true };
    case "CrashLoopBackOff":
      return {
        text: `ends again and again, with ${exitOf(lastState?.terminated)} after ${restartCount} ${restartCount === 1 ? "restart" : "restarts"}`,
        isHopeless: restartCount >= CRASHES,
      };
    case undefined:
    default:
      return state?.terminated === undefined && lastState?.terminated === undefined
        ? undefined
        : { text: `ended with ${exitOf(state?.terminated ?? lastState?.terminated)}`, isHopeless: false };
  }
}

const exitOf = (terminated: { readonly reason?: string; readonly exitCode?: number } | undefined): string =>
  `exit status ${terminated?.exitCode ?? "unknown"}${terminated?.reason === "OOMKilled" ? ", out of memory" : ""}`;

function unplaced({ metadata, status }: Pod): Trouble | undefined {
  const placed = status?.conditions?.find(({ type }) => type === "PodScheduled");
  return placed?.status === "False"
    ? {
        text: `${metadata.name}: no node takes it: ${placed.message ?? placed.reason ?? "nobody says why"}`,
        isHopeless: false,
      }
    : undefined;
}

function notAnswering({ metadata, status }: Pod): Trouble | undefined {
  const containers = status?.containerStatuses ?? [];
  const isReady = status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
  return isReady || status?.phase !== "Running" || containers.length === 0
    ? undefined
    : { text: `${metadata.name}: it runs, and its readiness probe does not pass`, isHopeless: false };
}

/** What the Deployment controller says when it may not make pods: quota, limits, admission. */
const ownerTroubles = ({ metadata, status }: Owner): readonly Trouble[] =>
  (status?.conditions ?? [])
    .filter((condition) => condition.type === "ReplicaFailure" && condition.status === "True")
    .map(({ message, reason }) => ({
      text: `deployment ${metadata.name} may not make pods: ${message ?? reason ?? "nobody says why"}`,
      isHopeless: true,
    }));

/** The newest warning that was written about an object. */
export function warningIn(events: readonly Event[]): string | undefined {
  const newest = events
    .filter(({ type, message }) => type === "Warning" && message !== undefined)
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))[0];
  return newest === undefined ? undefined : `${newest.reason ?? "Warning"}: ${newest.message ?? ""}`;
}

const timeOf = ({ lastTimestamp, eventTime, metadata }: Event): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";

/** The worst that is known of pods that belong to no Deployment. */
export function troubleOfPods(pods: readonly Pod[]): Trouble | undefined {
  const troubles = pods.flatMap((pod) => podTrouble(pod) ?? []);
  return troubles.find(({ isHopeless }) => isHopeless) ?? troubles[0];
}
