import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunEvent } from "../../src/events/event.ts";
import { midflight } from "../midflight.ts";
import { CONTAINER, POD_PORT, PODS, releaseOf, type PodImages, type Version } from "./pods.ts";

/** The three files of an upgrade of pods, as anybody would write them. */
export type UpgradeFiles = {
  readonly dir: string;
  /** Region, which is its context too → where the guard's probes order. */
  readonly probes: Readonly<Record<string, string>>;
  /** Pods per region. */
  readonly instances: number;
  /** Whether users' orders are counted in the pods. */
  readonly isCounted: boolean;
  readonly images: PodImages;
  readonly to: Version;
  /** Per region. */
  readonly batch: number;
  readonly soakSec: number;
  /** Whether new pods are proved in the dark. */
  readonly isProved?: boolean;
};

export async function writeFiles(files: UpgradeFiles): Promise<void> {
  const { dir, images, to, batch, soakSec, isProved = false } = files;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "environment.yaml"), JSON.stringify(environmentOf(files), undefined, 2));
  await writeFile(join(dir, "releases.yaml"), JSON.stringify(releasesOf(images), undefined, 2));
  const wave = { regions: Object.keys(files.probes), batch, surge: batch, soak: `${soakSec}s` };
  const plan = {
    midflight: 1,
    plan: "pods",
    components: { gateway: { release: releaseOf(to), floor: "100%" } },
    steps: [{ roll: "gateway", dark: isProved ? { exclude: "5%", confidence: "99%" } : "none", waves: [wave] }],
    guard: { operations: ["order"], falseAlarms: "1 per 30 days", baseline: { atMost: "0.2%" } },
  };
  await writeFile(join(dir, "plan.yaml"), JSON.stringify(plan, undefined, 2));
}

/** JSON is YAML. */
const environmentOf = ({ probes, instances, isCounted }: UpgradeFiles) => ({
  midflight: 1,
  environment: "pods",
  class: "demo",
  regions: Object.fromEntries(
    Object.entries(probes).map(([region, url]) => [
      region,
      {
        probe: {
          http: {
            url,
            headers: { "x-probe": "yes" },
            operations: { order: { method: "POST", path: "/order" } },
            releaseHeader: "x-release",
            instanceHeader: "x-instance",
          },
        },
      },
    ]),
  ),
  components: {
    gateway: {
      driver: "kubernetes",
      deployment: PODS,
      container: CONTAINER,
      service: PODS,
      contexts: Object.fromEntries(Object.keys(probes).map((region) => [region, region])),
      kubeconfig: { env: "KUBECONFIG" },
      instances,
      port: POD_PORT,
      readyDeadline: "5m",
      ...(isCounted ? { counters: { path: "/-/metrics", metric: "orders_total" } } : { entry: false }),
    },
  },
});

const releasesOf = (images: PodImages) => ({
  midflight: 1,
  releases: Object.fromEntries(
    (Object.entries(images) as [Version, string][]).map(([version, image]) => [
      releaseOf(version),
      { kubernetes: { image } },
    ]),
  ),
});

export type Upgrade = {
  /** Without pulses. */
  readonly events: readonly RunEvent[];
  /** From the start of the process to its end. */
  readonly ms: number;
  readonly startedAt: number;
  readonly run: string;
};

export type UpgradeOrder = {
  readonly dir: string;
  readonly kubeconfig: string;
  /** Exit status that it must end with: 0 promoted, 1 undone. */
  readonly wants: 0 | 1;
  readonly signal: AbortSignal;
  readonly onStart?: (pid: number) => void;
  readonly onEvent?: (event: RunEvent) => void;
};

const OUTCOMES = { 0: "promoted", 1: "undone" } as const;

/** `midflight upgrade` from the files in `dir`, as a process. Rejects when it ends otherwise than wanted. */
export async function upgrade({ dir, kubeconfig, wants, signal, onStart, onEvent }: UpgradeOrder): Promise<Upgrade> {
  const events: RunEvent[] = [];
  const startedAt = Date.now();
  const since = performance.now();
  const { status, lastLine, complaint } = await midflight({
    args: ["upgrade", join(dir, "plan.yaml"), "--env", join(dir, "environment.yaml"), "--json", "--yes"],
    cwd: dir,
    env: { KUBECONFIG: kubeconfig },
    signal,
    ...(onStart === undefined ? {} : { onStart }),
    onLine: (line) => {
      const event = JSON.parse(line) as RunEvent;
      if (typeof event.at !== "string" || event.kind === "pulse") return;
      events.push(event);
      onEvent?.(event);
    },
  });
  const ms = performance.now() - since;
  const ended = events.findLast((event) => event.kind === "ended");
  const outcome = ended?.kind === "ended" ? ended.outcome : "not at all";
  if (status !== wants || outcome !== OUTCOMES[wants])
    throw new Error(
      `the upgrade ended ${outcome}, status ${status}, and not ${OUTCOMES[wants]}: ${complaint === "" ? lastLine : complaint}`,
    );
  return { events, ms, startedAt, run: events.find(({ kind }) => kind === "run-opened")?.run ?? "" };
}

export const timeOf = (events: readonly RunEvent[], ...kinds: readonly RunEvent["kind"][]): number | undefined => {
  const event = events.find(({ kind }) => kinds.includes(kind));
  return event === undefined ? undefined : Date.parse(event.at);
};

/** How the time of an upgrade was spent, in ms. */
export type Spent = {
  /** Before the first move: the program's start, looking at everything, the first evidence. */
  readonly before: number;
  /** New pods coming up in the dark. */
  readonly start: number;
  /** The Deployment bringing as many of its own. */
  readonly admit: number;
  readonly retire: number;
  /** Waiting for evidence of health after each change. */
  readonly evidence: number;
};

export function spentOn({ events, startedAt }: Upgrade): Spent {
  const first = timeOf(events, "move-started") ?? startedAt;
  const moves = (kind: string): number =>
    events.reduce(
      (sum, event) => sum + (event.kind === "move-done" && event.move.endsWith(`/${kind}`) ? event.ms : 0),
      0,
    );
  return {
    before: first - startedAt,
    start: moves("start"),
    admit: moves("admit"),
    retire: moves("retire"),
    evidence: waited(events),
  };
}

/** From each gate that waited to the move behind it; without the first one, which is counted as before. */
function waited(events: readonly RunEvent[]): number {
  let [sum, began, isFirst] = [0, undefined as number | undefined, true];
  for (const event of events) {
    if (event.kind === "gate-waiting") began = Date.parse(event.at);
    if (event.kind !== "move-started") continue;
    if (began !== undefined && !isFirst) sum += Date.parse(event.at) - began;
    began = undefined;
    isFirst = false;
  }
  return sum;
}
