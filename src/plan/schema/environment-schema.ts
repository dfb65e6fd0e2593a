import * as z from "zod";
import { classRulesSchema } from "./class-rules-schema.ts";
import { CHOICE, EXPECTED, NOUN } from "./expected.ts";
import {
  argv,
  count,
  editorSchema,
  flag,
  fromEnv,
  fromFile,
  httpUrl,
  metric,
  name,
  objectName,
  path,
  release,
  text,
  urlPath,
  value,
  version,
  wsUrl,
} from "./fields.ts";
import { httpProbeSchema } from "./http-probe-schema.ts";
import { liveSourceSchema } from "./live-source-schema.ts";
import { day, duration, timeLimit } from "./quantity-field.ts";
import { releaseSchema } from "./releases-schema.ts";

const okx = z
  .strictObject({
    rest: httpUrl().describe("Address of the region's REST API."),
    ws: wsUrl()
      .optional()
      .describe(
        "Address of its WebSocket API. With it, half of the probes trade over WebSocket: here, and at each instance where it serves REST (/ws/v5/private).",
      ),
    accounts: value().describe(
      "JSON list of {apiKey, secret, passphrase, cohort}: one account in each cohort that can fail alone.",
    ),
    instrument: z
      .string()
      .regex(/^[A-Z0-9]+(-[A-Z0-9]+)+$/)
      .register(EXPECTED, { text: "an instrument such as BTC-USDT" })
      .optional()
      .describe("Instrument that probe orders are sent for. Default BTC-USDT."),
    exposure: z
      .strictObject({
        orders: count(1, 10_000).optional().describe("Probe orders that may rest at a time. Default 200."),
        notional: count(1, 1_000_000_000)
          .optional()
          .describe(
            "What they, and what one of them bought by accident, may be worth, in the quote currency. Default 1000.",
          ),
      })
      .register(NOUN, { noun: "exposure" })
      .optional()
      .describe("What probes of the region may have at stake; no order is placed beyond it."),
    rules: name().optional().describe("Class rules, by name. Default okx-v5."),
    simulatedTrading: flag()
      .optional()
      .describe("Send the header x-simulated-trading. Default: true in class demo, false in production."),
  })
  .register(NOUN, { noun: "probe" });

const proberPlace = z
  .strictObject({
    context: text().describe("Context of the kubeconfig."),
    namespace: objectName().describe("Namespace of their Deployment, which stands there while a run lasts."),
    image: text().describe("Image of midflight, whose entry point is `midflight`, by digest."),
    env: objectName()
      .optional()
      .describe("Secret whose keys become their environment variables: what this probe refers to by { env }."),
    kubeconfig: value()
      .optional()
      .describe("Path of the kubeconfig, or the kubeconfig itself. Default: where kubectl finds it."),
  })
  .register(NOUN, { noun: "place for probes" });

const placed = { in: proberPlace.optional().describe("Where its probes run. Default: beside the guard.") };

const region = z
  .strictObject({
    probe: z
      .union([
        z.strictObject({ okx: okx.describe("A venue with the OKX V5 API."), ...placed }),
        z.strictObject({ http: httpProbeSchema.describe("Any other system that speaks HTTP."), ...placed }),
      ])
      .register(CHOICE, { what: "probe" })
      .optional()
      .describe("How operations are tried here, as a user would."),
  })
  .register(NOUN, { noun: "region" });

const counters = z.strictObject({
  path: urlPath().describe("Prometheus text format, read directly from every instance."),
  metric: metric().describe("Counter of operations, labelled by operation, code and cohort."),
  rules: name().optional().describe("Class rules for its codes, by name. Default okx-v5."),
});

const entry = () =>
  flag().describe(
    "Whether users' operations enter here: instances are then probed directly, and new ones compared with old ones. Default: true where it has counters, or where no component has any.",
  );

const processComponent = z.strictObject({
  driver: z.literal("process").describe("Processes on this machine, behind a balancer."),
  balancer: z
    .record(name(), httpUrl())
    .register(NOUN, { noun: "region" })
    .describe("Region → admin address of its balancer."),
  instances: count(1, 1000).describe("Instances per region."),
  env: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
        .register(EXPECTED, { text: "the name of an environment variable" }),
      value(),
    )
    .optional()
    .describe("Environment variables of each instance."),
  ready: urlPath().optional().describe("Answers 200 when the instance can serve. Default /-/ready."),
  drain: urlPath().optional().describe("POST starts draining. Default /-/drain."),
  undrain: urlPath().optional().describe("POST takes it back. Default /-/undrain."),
  drained: urlPath().optional().describe("Says how many operations and sockets are left. Default /-/drained."),
  entry: entry().optional(),
  counters: counters.optional().describe("How the guard sees users' own operations."),
  readyDeadline: duration().optional().describe("From start to ready. Default 30s."),
  stopDeadline: duration().optional().describe("From SIGTERM to SIGKILL. Default 10s."),
});

const trials = z
  .strictObject({
    content: z
      .enum(["full", "sample"])
      .optional()
      .describe("What clones hold: all rows, or some of each table and all that these refer to. Default full."),
    rows: count(1, 1_000_000)
      .optional()
      .describe("Rows of each table in a sample. Default 1000; without effect on full."),
    mask: z
      .array(
        z
          .string()
          .regex(/^[^.\s]+(\.[^.\s]+){1,2}$/)
          .register(EXPECTED, { text: "a column such as accounts.email" }),
      )
      .optional()
      .describe("Columns whose values nobody may read on a clone."),
    sessions: z
      .enum(["ask", "send-away"])
      .optional()
      .describe(
        "What happens to whoever is connected while the store is copied: ask refuses the trial and names them, send-away ends their sessions once. Default ask.",
      ),
  })
  .register(NOUN, { noun: "trials" });

const column = () =>
  z
    .string()
    .regex(/^[^\s"]+$/)
    .register(EXPECTED, { text: "the name of a column" });

const reference = z
  .strictObject({
    table: z
      .string()
      .regex(/^[^.\s"]+(\.[^.\s"]+)?$/)
      .register(EXPECTED, { text: "a table such as instruments or risk.limits" })
      .describe("Table, in the schema public unless it says another."),
    key: z.array(column()).min(1).describe("Columns by which a row is found again in the other environment."),
    ignore: z
      .array(column())
      .optional()
      .describe(
        "Columns that differ by nature. inst_id_code, created_at, updated_at and modified_at always do, unless they are in the key.",
      ),
  })
  .register(NOUN, { noun: "reference table" });

const postgresComponent = z.strictObject({
  driver: z.literal("postgres").describe("A PostgreSQL database."),
  url: value().describe("postgres://user@host:port/database. A URL with a password belongs into a variable or a file."),
  trials: trials.optional().describe("How migrations are tried on clones of this store. In class demo only."),
  reference: z
    .array(reference)
    .optional()
    .describe("Tables whose rows are metadata: `midflight parity` compares them row by row. Never rows of users."),
});

const commandComponent = z.strictObject({
  driver: z.literal("command").describe("Anything that four programs can look at, change, take back and check."),
  observe: argv().describe("Prints what runs now, as JSON."),
  apply: argv().describe("Makes the new release run. May run twice."),
  undo: argv().describe("Makes what was observed run again. May run twice."),
  ready: argv().describe("Exit status 0 when it serves."),
  shell: flag().optional().describe("Hand each command line to /bin/sh. Default false."),
  timeout: timeLimit().optional().describe("For each program. Default 1m."),
});

const kubernetesComponent = z.strictObject({
  driver: z.literal("kubernetes").describe("A stock Deployment, StatefulSet or DaemonSet in each region."),
  deployment: objectName().optional().describe("Name of the Deployment that the pods belong to, in every region."),
  statefulSet: objectName()
    .optional()
    .describe("Or of the StatefulSet. A new pod takes the place of an old one, from the highest number downwards."),
  daemonSet: objectName()
    .optional()
    .describe("Or of the DaemonSet. A new pod takes the place of an old one, node by node."),
  container: objectName()
    .optional()
    .describe("Container of its pods whose image is the release. Default: named like what its pods belong to."),
  service: objectName().describe("Service by which users reach the pods."),
  traffic: z
    .union([
      z.strictObject({
        switch: z
          .literal("selector")
          .describe(
            "The Service's selector names one release at a time: all users are switched at once, and back at once.",
          ),
      }),
      z.strictObject({
        httpRoute: objectName().describe(
          "Or an HTTPRoute of the Gateway API, whose weights give the new release any share of the users.",
        ),
        beside: objectName().describe(
          "Second Service in its rules, with the same selector as `service`, and the weight 0 while no upgrade runs.",
        ),
      }),
    ])
    .register(CHOICE, { what: "traffic rule" })
    .optional()
    .describe(
      "How users are moved to a full second set of pods of a Deployment. Default: the Service sends every pod the same, and a batch takes its share as it comes.",
    ),
  contexts: z
    .record(name(), text())
    .register(NOUN, { noun: "region" })
    .describe("Region → context of the kubeconfig. Two regions may be two namespaces of one cluster."),
  namespace: objectName().optional().describe("Namespace in every region. Default: that of the context."),
  kubeconfig: value()
    .optional()
    .describe("Path of the kubeconfig, or the kubeconfig itself. Default: where kubectl finds it."),
  stores: z
    .record(name(), value())
    .register(NOUN, { noun: "store" })
    .optional()
    .describe(
      "Store → the address by which its pods come to it, with their user, as the machine that rehearses reaches it. Statements of releases are tried as that user.",
    ),
  instances: count(1, 1000).describe("Pods per region."),
  port: count(1, 65_535).describe("Port on which a pod is probed directly."),
  entry: entry().optional(),
  counters: counters.optional().describe("How the guard sees users' own operations."),
  pause: flag()
    .optional()
    .describe(
      "Whether Argo CD or Flux, where they manage the Deployment, are told to wait while a run lasts, and go on at its end. Default false.",
    ),
  readyDeadline: duration().optional().describe("From an order to pods that serve. Default 2m."),
});

const component = z
  .discriminatedUnion("driver", [processComponent, postgresComponent, commandComponent, kubernetesComponent])
  .register(CHOICE, { what: "component" })
  .register(NOUN, { noun: "component" });

const on = z
  .array(z.enum(["tripped", "stranded", "unknown", "ended", "held", "approval"]))
  .min(1)
  .optional()
  .describe("When. Default: always. That somebody goes without a certificate is always told.");
const notify = z
  .union([
    z.strictObject({
      webhook: z
        .strictObject({ url: value().describe("Gets a POST with JSON.") })
        .describe("A program on the network."),
      on,
    }),
    z.strictObject({ command: argv().describe("Gets the notification as JSON on its standard input."), on }),
  ])
  .register(CHOICE, { what: "notification" })
  .register(NOUN, { noun: "notification" });

const cluster = z
  .strictObject({
    kubernetes: z
      .strictObject({
        context: text().describe("Context of the kubeconfig."),
        namespace: objectName().describe("Namespace for runs, journals and leases."),
      })
      .register(NOUN, { noun: "state" })
      .describe("Where they are kept."),
  })
  .describe("A namespace of Kubernetes: whoever may read it goes on with a run from anywhere.");

const acceptance = z
  .strictObject({
    fact: z
      .string()
      .regex(/^[^*/\s]+(\/[^/\s]+)*$/)
      .register(EXPECTED, { text: "a fact such as orders-db/setting/max_connections or orders-db/setting/*" })
      .describe("Fact as `midflight parity` names it. * stands for anything but a slash, ** for anything."),
    because: text().describe("Why the difference may stand."),
    until: day().describe("Last day on which it may, in UTC."),
  })
  .register(NOUN, { noun: "acceptance" });

const parity = z
  .strictObject({ accept: z.array(acceptance).optional().describe("Differences that may stand for a time.") })
  .register(NOUN, { noun: "parity" });

export const environmentSchema = z
  .strictObject({
    $schema: editorSchema(),
    midflight: version(),
    environment: name().describe("Name of the environment; one run at a time acts on a component of it."),
    class: z.enum(["demo", "production"]).describe("`production` is where real users are."),
    rehearsedIn: name().optional().describe("Environment in which a plan is rehearsed before it may run here."),
    regions: z.record(name(), region).register(NOUN, { noun: "region" }).describe("Parts that fail on their own."),
    components: z
      .record(name(), component)
      .register(NOUN, { noun: "component" })
      .describe("Where the plan's components really are."),
    releases: z
      .record(release(), releaseSchema)
      .register(NOUN, { noun: "release" })
      .optional()
      .describe(
        "What releases are for this environment's drivers, where releases.yaml does not say it: release → what is run, fixed by a digest. Must not contradict releases.yaml.",
      ),
    sources: z
      .array(liveSourceSchema)
      .optional()
      .describe("Where users' own operations are counted, beside the counters of instances."),
    notify: z.array(notify).optional().describe("Who is told. Never waited for."),
    trusts: z.array(path()).optional().describe("Public keys of rehearsals that are believed, relative to this file."),
    approval: z
      .strictObject({
        notBySigner: flag()
          .optional()
          .describe(
            "Whoever signed an upgrade's certificate neither starts it nor approves a step of it. Default false.",
          ),
      })
      .register(NOUN, { noun: "approval" })
      .optional()
      .describe("Who may say yes."),
    rules: z
      .record(name(), classRulesSchema)
      .register(NOUN, { noun: "rules table" })
      .optional()
      .describe("What outcomes of an API say about it, by a name that probes and counters refer to."),
    parity: parity.optional().describe("How this environment may differ from the one that it is compared with."),
    inCluster: z
      .strictObject({
        image: text().describe("Image of midflight, whose entry point is `midflight`, by digest."),
        serviceAccount: objectName().describe("Service account of its pod, with the rights that midflight needs."),
        context: text().describe("Context of the kubeconfig, for the cluster where the conductor runs."),
        namespace: objectName().describe("Namespace of its Job."),
        env: objectName()
          .optional()
          .describe(
            "Secret whose keys become environment variables of the conductor: what this file refers to by { env }.",
          ),
        kubeconfig: objectName()
          .optional()
          .describe(
            "Secret whose key `config` is the conductor's kubeconfig. Default: its service account, which reaches its own cluster alone.",
          ),
      })
      .register(NOUN, { noun: "place for conductors" })
      .optional()
      .describe("Where `midflight upgrade --in-cluster` runs its conductor."),
    jobs: z
      .strictObject({
        context: text().describe("Context of the kubeconfig."),
        namespace: objectName().describe("Namespace of the Jobs."),
        kubeconfig: value()
          .optional()
          .describe("Path of the kubeconfig, or the kubeconfig itself. Default: where kubectl finds it."),
      })
      .register(NOUN, { noun: "place for jobs" })
      .optional()
      .describe("Where Jobs of the plan's `run` steps are made."),
    state: z
      .union([text(), cluster, fromEnv, fromFile])
      .register(EXPECTED, { text: "a folder, or { kubernetes: { context, namespace } }" })
      .register(CHOICE, { what: "value" })
      .optional()
      .describe(
        "Folder for runs, journals and leases, relative to this file, or a namespace of Kubernetes. Default .midflight beside this file.",
      ),
  })
  .register(NOUN, { noun: "environment" });

export type EnvironmentInput = z.infer<typeof environmentSchema>;
