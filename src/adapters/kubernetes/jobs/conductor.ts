import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { ConductorPlace } from "../../../plan/model.ts";
import type { Clock } from "../../../ports/clock.ts";
import { apiOf } from "../api/api.ts";
import { writeCertainly } from "../api/certain-write.ts";
import { connect, POD_KUBECONFIG } from "../api/connection.ts";
import { troubleOfPods } from "../explain.ts";
import { follow } from "../api/follow.ts";
import { endIn, lastWords, type JobPlace } from "./job-end.ts";
import { shortHash } from "../api/object-name.ts";
import type { Job, Pod } from "../api/objects.ts";
import { podKubeconfig } from "./pod-kubeconfig.ts";
import { RUN } from "../state/run-objects.ts";
import { inOurWords } from "../site.ts";

export type ConductorOptions = {
  readonly place: ConductorPlace;
  /** Of this machine. A path, or the text; undefined: where kubectl would find it. */
  readonly kubeconfig?: string;
  /** Which the conductor will need, by name. */
  readonly contexts: readonly string[];
  readonly clock: Clock;
};

export type ConductorOrder = {
  readonly run: string;
  /** Where it is kept, as `--state` takes it. */
  readonly where: string;
};

/** A run's conductor as a Job, which Kubernetes starts again wherever and however often it dies. */
export type ClusterConductor = {
  /** Repeatable. Rejects `KUBERNETES_…`, `STATE_UNREACHABLE`. */
  start(order: ConductorOrder, signal: AbortSignal): Promise<void>;
  /** Says what holds up the conductor, each time that it is something else, until the signal aborts. Rejects `CONDUCTOR_FAILED` when nobody will start it again. */
  heed(run: string, say: (trouble: string) => void, signal: AbortSignal): Promise<never>;
};

/** Throws `INCLUSTER_IMPOSSIBLE`, `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export function clusterConductor({ place, kubeconfig, contexts, clock }: ConductorOptions): ClusterConductor {
  const { context, namespace } = place;
  const api = apiOf(connect(kubeconfig, context, { namespace, now: () => clock.monotonic() }), clock);
  const reach = place.kubeconfig === undefined ? podKubeconfig(kubeconfig, context, contexts) : undefined;
  return {
    start: ({ run, where }, signal) =>
      inOurWords("STATE_UNREACHABLE", async () => {
        const body = jobOf(place, { run, where, reach });
        const ask = { verb: "create", query: { fieldManager: "midflight" }, body } as const;
        // Whatever has the name is the conductor of this run: the name belongs to it alone.
        const made = { resource: "jobs", name: body.metadata.name, ask, isDone: () => true } as const;
        await writeCertainly<Job>({ api, clock }, made, signal);
      }),
    heed: (run, say, signal) => inOurWords("STATE_UNREACHABLE", () => heed({ api, clock }, run, say, signal)),
  };
}

/** A label of its pods holds it too: at most 63 characters. */
const jobName = (run: string): string =>
  `${run
    .slice(0, 40)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")}-${shortHash(run)}`;

const CONTAINER = "midflight";
const WORK = "/midflight";
const KUBECONFIG_FOLDER = "/etc/midflight";
/** It starts anew after 10 s, 20 s, … 5 min: for some hours. */
const RESTARTS = 60;
const KEPT_S = 7 * 86_400;
/** For taking back what its probes left open and giving its leases back: the next one need not watch it die then. The journal is whole at every moment. */
const GRACE_S = 15;
/** Kubernetes leaves a pod on a node that is gone for 5 min, unless the pod says otherwise. The lease fences off one that lives on unseen. */
const NODE_GONE_S = 5;
const tolerations = ["not-ready", "unreachable"].map((why) => ({
  key: `node.kubernetes.io/${why}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: NODE_GONE_S,
}));

type Seat = ConductorOrder & { readonly reach: string | undefined };

function jobOf(place: ConductorPlace, { run, where, reach }: Seat) {
  const labels = {
    "app.kubernetes.io/name": "midflight",
    "app.kubernetes.io/managed-by": "midflight",
    [RUN]: shortHash(run),
  };
  const variable =
    reach === undefined
      ? { name: "KUBECONFIG", value: `${KUBECONFIG_FOLDER}/config` }
      : { name: POD_KUBECONFIG, value: reach };
  const secret =
    place.kubeconfig === undefined ? [] : [{ name: "kubeconfig", secret: { secretName: place.kubeconfig } }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobName(run), labels, annotations: { [RUN]: run } },
    spec: {
      backoffLimit: RESTARTS,
      ttlSecondsAfterFinished: KEPT_S,
      template: {
        metadata: { labels, annotations: { [RUN]: run } },
        spec: {
          serviceAccountName: place.serviceAccount,
          restartPolicy: "OnFailure",
          terminationGracePeriodSeconds: GRACE_S,
          tolerations,
          // What a namespace asks for that enforces the restricted Pod Security Standard.
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: CONTAINER,
              image: place.image,
              args: ["conduct", run, "--state", where],
              workingDir: WORK,
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
              env: [variable],
              ...(place.env === undefined ? {} : { envFrom: [{ secretRef: { name: place.env } }] }),
              volumeMounts: [
                { name: "work", mountPath: WORK },
                ...secret.map(({ name }) => ({ name, mountPath: KUBECONFIG_FOLDER, readOnly: true })),
              ],
            },
          ],
          volumes: [{ name: "work", emptyDir: {} }, ...secret],
        },
      },
    },
  };
}

async function heed(place: JobPlace, run: string, say: (trouble: string) => void, signal: AbortSignal): Promise<never> {
  const name = jobName(run);
  const stop = new AbortController();
  const within = AbortSignal.any([signal, stop.signal]);
  const over = Promise.withResolvers<never>();
  let said: string | undefined;
  const jobSeen = ([job]: readonly Job[]): void => {
    const end = job === undefined ? undefined : endIn(job);
    if (job === undefined) over.reject(failed(place, name, "it was deleted"));
    if (end?.kind === "failed")
      void lastSaid(place, name).then((words) => over.reject(failed(place, name, `${end.why}${words}`)));
  };
  const podsSeen = (pods: readonly Pod[]): void => {
    const trouble = troubleOfPods(pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined))?.text;
    if (trouble !== undefined && trouble !== said) say(`the conductor's pod ${trouble}`);
    said = trouble;
  };
  // The journal tells whether the run goes on: silence here is no news.
  const silence = (): void => undefined;
  const jobs = { resource: "jobs", query: { fieldSelector: `metadata.name=${name}` } } as const;
  const pods = { resource: "pods", query: { labelSelector: `job-name=${name}` } } as const;
  const followers = [
    follow<Job>(place, jobs, { items: jobSeen, silence }, within),
    follow<Pod>(place, pods, { items: podsSeen, silence }, within),
  ];
  try {
    return await Promise.race([over.promise, ...followers]);
  } finally {
    stop.abort();
    await Promise.allSettled(followers);
  }
}

async function lastSaid(place: JobPlace, name: string): Promise<string> {
  const { output } = await lastWords(place, name, CONTAINER);
  return output.trim() === "" ? "" : `; its last lines:\n${output.trimEnd().split("\n").slice(-12).join("\n")}`;
}

const failed = ({ api }: JobPlace, name: string, why: string): UpgradeError =>
  new UpgradeError(
    "CONDUCTOR_FAILED",
    `jobs/${name} in namespace ${api.namespace} of ${api.context} conducts no more: ${why}`,
    { hint: "mend what it says, then go on from any machine with `midflight resume`" },
  );
