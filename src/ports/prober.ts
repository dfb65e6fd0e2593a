/**
 * A process that probes one region from within it. It reads orders and prints lines; what they say is between it and the guard.
 */
export interface Prober {
  /** Makes it run, in the place of what a dead run left there. Rejects: `PROBES_UNREACHABLE`, `KUBERNETES_…`, `KUBECONFIG_UNUSABLE`. */
  start(on: ProberListener, signal: AbortSignal): Promise<void>;
  /** What it shall know from now on; replaces every order before. Reaches it as soon as it can be reached. */
  order(text: string): void;
  /** Ends it, so that it takes back what it left open. What cannot be reached ends by itself, and is found by the next run. */
  stop(): Promise<void>;
}

export type ProberListener = {
  /** Something that it printed. A line may come twice, late, or never. */
  line(text: string): void;
  /** What keeps it from being heard, each time that it is something else; undefined when nothing does. */
  trouble(why: string | undefined): void;
};
