import type { VenueEnv } from "../../../src/demo/venue/accounts.ts";

/** Name of the container, and of production's objects, alike in every region. */
export const GATEWAY = "gateway";
/** Names of an environment's objects: both live in the namespaces of the regions. */
export const NAME: Readonly<Record<VenueEnv, string>> = { production: GATEWAY, demo: `${GATEWAY}-demo` };
/** On which a pod serves users and is probed. */
export const POD_PORT = 8080;
/** Not 80: addresses name it, and whoever takes them apart finds it. */
export const SERVICE_PORT = 8080;

/**
 * A pod that is told to leave serves on and answers `Connection: close` for so long. It is longer than a client keeps a connection that it does
 * not use (4 s), and than the proxies need to forget the pod, so that nobody meets a closed door; and shorter than the plans soak before they
 * contract (6 s), because whoever still serves reads what the contraction takes away.
 */
const NOTICE_MS = 4_500;
/** The notice, what is in flight after it, and the goodbye of sockets. */
const GRACE_S = 15;

export type GatewayOrder = {
  readonly env: VenueEnv;
  readonly region: string;
  readonly image: string;
  readonly replicas: number;
  /** What is wrong with a release, for those that have something wrong: JSON. */
  readonly fault: string;
  /** How gateways fail in health: JSON, or nothing. */
  readonly noise: string;
};

/** A stock Deployment as anybody would write it: nothing in it knows of midflight but the names of two variables. */
export const gatewayDeployment = ({ env, region, image, replicas, fault, noise }: GatewayOrder) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: NAME[env] },
  spec: {
    replicas,
    selector: { matchLabels: { app: NAME[env] } },
    template: {
      metadata: { labels: { app: NAME[env] } },
      spec: {
        terminationGracePeriodSeconds: GRACE_S,
        containers: [
          {
            name: GATEWAY,
            image,
            imagePullPolicy: "Never",
            ports: [{ containerPort: POD_PORT }],
            envFrom: [{ secretRef: { name: NAME[env] } }],
            env: [
              { name: "PORT", value: String(POD_PORT) },
              { name: "LISTEN_HOST", value: "0.0.0.0" },
              { name: "SIGTERM_NOTICE_MS", value: String(NOTICE_MS) },
              { name: "MIDFLIGHT_INSTANCE", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
              { name: "MIDFLIGHT_REGION", value: region },
              { name: "VENUE_ENV", value: env },
              { name: "FAULT", value: fault },
              { name: "GATEWAY_NOISE", value: noise },
            ],
            readinessProbe: {
              httpGet: { path: "/-/ready", port: POD_PORT },
              periodSeconds: 1,
              timeoutSeconds: 2,
              failureThreshold: 3,
            },
          },
        ],
      },
    },
  },
});

/** What a gateway must know and nobody else: its store and its key seed. */
export const gatewaySecret = (env: VenueEnv, values: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: NAME[env] },
  stringData: values,
});

export const gatewayService = (env: VenueEnv) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: NAME[env] },
  spec: { selector: { app: NAME[env] }, ports: [{ port: SERVICE_PORT, targetPort: POD_PORT }] },
});
