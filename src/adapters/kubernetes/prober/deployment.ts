import { shortHash } from "../api/object-name.ts";
import { RUN } from "../state/run-objects.ts";

/** What makes a prober: where, for whom, and what it is told at its birth. */
export type ProberSeat = {
  readonly environment: string;
  readonly region: string;
  readonly run: string;
  readonly image: string;
  /** Secret whose keys become environment variables. */
  readonly env?: string;
  /** What it is set up with. */
  readonly brief: string;
};

const NAME = "app.kubernetes.io/name";
const PROBES = "midflight-probes";
/** Finds the probers of a namespace. */
export const PROBERS = `${NAME}=${PROBES}`;
const OF = "midflight.dev/probes";
/** Finds the pods of one prober. */
export const podsOf = (name: string): string => `${OF}=${name}`;
export const ENVIRONMENT = "midflight.dev/environment";
export const REGION = "midflight.dev/region";
const BRIEF = "midflight.dev/probe-brief";
/** An annotation of the pod, which the kubelet shows it as a file: it is heard within a second, and the pod needs no right and no way for it. */
export const ORDERS = "midflight.dev/probe-orders";

/** A label of its pods holds it, and their names are longer by 17 characters: at most 46. */
export const proberName = ({
  environment,
  region,
  run,
}: Pick<ProberSeat, "environment" | "region" | "run">): string => {
  const readable = region
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 12)
    .replaceAll(/^-|-$/g, "");
  return [PROBES, ...(readable === "" ? [] : [readable]), shortHash(`${environment} ${region} ${run}`)].join("-");
};

export const CONTAINER = "probes";
const FOLDER = "/etc/midflight";
const WORK = "/midflight";
/** It takes back what it left open: 3 s at most. */
const GRACE_S = 10;
/** A little more than it has needed at any time. */
const RESOURCES = {
  requests: { cpu: "100m", memory: "128Mi" },
  limits: { cpu: "1", memory: "384Mi" },
};

/** One prober at a time, and nothing that the restricted Pod Security Standard forbids. */
export const deploymentOf = (seat: ProberSeat) => {
  const name = proberName(seat);
  const labels = {
    [NAME]: PROBES,
    "app.kubernetes.io/managed-by": "midflight",
    [RUN]: shortHash(seat.run),
    [OF]: name,
  };
  const annotations = { [RUN]: seat.run, [ENVIRONMENT]: seat.environment, [REGION]: seat.region };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels, annotations },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 0,
      strategy: { type: "Recreate" },
      selector: { matchLabels: { [OF]: name } },
      template: {
        metadata: { labels, annotations: { ...annotations, [BRIEF]: seat.brief } },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: GRACE_S,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: CONTAINER,
              image: seat.image,
              args: ["probe", FOLDER, "--left", `${WORK}/left.ndjson`],
              workingDir: WORK,
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
              resources: RESOURCES,
              ...(seat.env === undefined ? {} : { envFrom: [{ secretRef: { name: seat.env } }] }),
              volumeMounts: [
                { name: "work", mountPath: WORK },
                { name: "orders", mountPath: FOLDER, readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: "work", emptyDir: {} },
            { name: "orders", downwardAPI: { items: [file("brief", BRIEF), file("orders", ORDERS)] } },
          ],
        },
      },
    },
  };
};

const file = (path: string, annotation: string) => ({
  path,
  fieldRef: { fieldPath: `metadata.annotations['${annotation}']` },
});
