/**
 * What the three files say once they are parsed: durations in milliseconds, shares in per cent, defaults filled in.
 * The schemas in this folder produce these types and nothing else; later stages never see YAML.
 */

import type { OutcomeClass, SHIPPED_RULES } from "./outcome-class.ts";

/** A plan: reviewed like code, the same for demo and production. */
export type Plan = {
  readonly midflight: 1;
  /** File it came from, as given. */
  readonly file: string;
  readonly name: string;
  readonly summary?: string;
  /** In the order of the file. */
  readonly components: Readonly<Record<string, PlanComponent>>;
  readonly steps: readonly PlanStep[];
  readonly guard: PlanGuard;
  readonly rehearsal: PlanRehearsal;
  readonly backups: Readonly<Record<string, readonly BackupAction[]>>;
};

/**
 * `soakMs`: healthy time that demo must carry the new release before a certificate is valid. `validForMs`: how long it is valid then.
 * `drillSoakMs`: longest soak on the way of a drill. The whole plan is walked with its own.
 */
export type PlanRehearsal = { readonly soakMs: number; readonly drillSoakMs: number; readonly validForMs: number };

export type PlanComponent = {
  /** `name@version`, a key of releases.yaml. Absent for a metadata store. */
  readonly release?: string;
  /** Folder of migrations, as written: relative to the plan's folder. Absent for a workload. */
  readonly migrations?: string;
  readonly needs: readonly string[];
  /** Least share of the instances found before the run that must take traffic, in any region. Default 100. */
  readonly floorPct: number;
};

/** `upgrade` may be told the step again after a failure this often, with growing pauses, within `deadlineMs`. */
export type Patience = { readonly deadlineMs: number; readonly retries: number };

export type PlanStep = MigrateStep | RollStep | ShiftStep | RunStep | SoakStep | VerifyStep | ApproveStep;

/** `expand` adds, so the old release is still served; `contract` takes away what the old release needed. */
export type MigrationPhase = "expand" | "contract";

export type MigrateStep = Patience & {
  readonly kind: "migrate";
  readonly component: string;
  readonly phase: MigrationPhase;
  readonly irreversible: boolean;
  /** Name of the backup plan. Mandatory when irreversible. */
  readonly backup?: string;
  /** `suspect` (default): taken back only when the metadata is what failed. `always`: taken back with any undo. */
  readonly undo: "suspect" | "always";
};

export type RollStep = Patience & {
  readonly kind: "roll";
  readonly component: string;
  /** Proof before any user reaches a new instance: failure rates of `excludePct` and more are excluded with `confidencePct`. Default 5 and 99; undefined when switched off with `dark: none`. */
  readonly dark?: DarkProof;
  readonly drain: Drain;
  readonly waves: readonly Wave[];
};
export type DarkProof = { readonly excludePct: number; readonly confidencePct: number };
export type Drain = { readonly noticeMs: number; readonly deadlineMs: number };
/** Default: one wave over all regions, batch 1, surge 1, no soak. */
export type Wave = {
  readonly regions: readonly string[] | "rest";
  /** Instances per region that are replaced together. */
  readonly batch: number;
  /** Instances per region that may exist above the count found before: 0, or at least `batch`. */
  readonly surge: number;
  /**
   * Shares of the users that a full second set takes, one after the other, up to 100; `soakMs` follows each, and the old ones leave after the last.
   * Absent: a new instance takes its full share as soon as it is admitted.
   */
  readonly sharesPct?: readonly number[];
  readonly soakMs: number;
};

/** Moves the users' share that the new release takes, in the named regions (default: all). */
export type ShiftStep = Patience & {
  readonly kind: "shift";
  readonly component: string;
  readonly toPct: number;
  readonly regions: readonly string[] | "rest";
  readonly soakMs: number;
};

/** Runs a program, or a Job in the cluster. Exit status 0 is success. No shell unless `shell` is true (then `argv` has one element). */
export type RunStep = Patience & {
  readonly kind: "run";
  /** Empty for a Job. */
  readonly argv: readonly string[];
  readonly job?: JobProgram;
  readonly undo?: readonly string[];
  readonly shell: boolean;
};

/** A Job of Kubernetes. `manifest`: path, as seen from the folder where midflight is started. `container`: whose exit status and output count; absent: the only one. */
export type JobProgram = { readonly manifest: string; readonly container?: string };

export type SoakStep = { readonly kind: "soak"; readonly ms: number };
export type VerifyStep = Patience & { readonly kind: "verify"; readonly component: string };
export type ApproveStep = {
  readonly kind: "approve";
  readonly who: string;
  /** Environment classes in which somebody is asked. Default: all. */
  readonly in: readonly EnvironmentClass[];
};

export type BackupAction =
  | { readonly kind: "run"; readonly argv: readonly string[]; readonly shell: boolean; readonly timeoutMs: number }
  | { readonly kind: "verify"; readonly component: string; readonly timeoutMs: number };

/** What users do, by name. `order`, `amend` and `cancel` at a venue; a probe over HTTP names its own, such as `pay`. */
export type Operation = string;

export type PlanGuard = {
  readonly operations: readonly Operation[];
  /** Mean time between false alarms that is promised, in ms. `1 per 30 days` is the default. */
  readonly falseAlarmEveryMs: number;
  /** Upper bound of the share of failing operations in health. Default 0.1. */
  readonly baselineAtMostPct: number;
  /** A success slower than this counts as degraded. */
  readonly slowerThanMs: number;
  /** Deadline of an operation; default 250. */
  readonly deadlineMs: number;
  /** The run is undone when more user operations than this failed, whatever the statistics say. */
  readonly budgetFailedOperations?: number;
  /** Probe operations per second and region. Default 30. */
  readonly probesPerSec: number;
  /** How long `suspect` may last before it counts as `failing`. Default 10 s. */
  readonly suspectForMs: number;
  /** How long `unknown` or `disturbed` is waited out before the run halts. Default 10 min. */
  readonly holdForMs: number;
};

export type EnvironmentClass = "demo" | "production";

/** Where a value that must not stand in a file comes from. */
export type SecretRef =
  | { readonly env: string; /** Used when the variable is not set. */ readonly default?: string }
  | { readonly file: string };
export type Value = string | SecretRef;

/** An environment: where a plan's components really are. */
export type Environment = {
  readonly midflight: 1;
  readonly file: string;
  readonly name: string;
  readonly class: EnvironmentClass;
  readonly rehearsedIn?: string;
  readonly regions: Readonly<Record<string, EnvironmentRegion>>;
  readonly components: Readonly<Record<string, EnvironmentComponent>>;
  /** What releases are for the drivers of this environment, beside what releases.yaml says. Paths as written: relative to the file's folder. */
  readonly releases?: Readonly<Record<string, Release>>;
  /** Where the guard sees what users see, besides its probes and the counters of instances. */
  readonly sources: readonly LiveSource[];
  readonly notify: readonly NotifyRule[];
  readonly trusts: readonly string[];
  /** `notBySigner`: whoever signed an upgrade's certificate neither starts it nor approves a step of it. */
  readonly approval: { readonly notBySigner: boolean };
  /** Differences from the environment that it is compared with that may stand. */
  readonly parity: { readonly accept: readonly Acceptance[] };
  /** Class rules of APIs, by name. */
  readonly rules: Readonly<Record<string, ClassRules>>;
  /** Where `upgrade --in-cluster` runs its conductor. */
  readonly inCluster?: ConductorPlace;
  /** Where Jobs of the plan's `run` steps are made. */
  readonly jobs?: JobsPlace;
  /** Folder for runs, journals and leases, as written: relative to the file's folder. Default `.midflight`. */
  readonly state: string;
  /** A namespace of Kubernetes that `state` names instead: runs and leases are kept there, and `state` is this machine's folder for copies. */
  readonly stateCluster?: { readonly context: string; readonly namespace: string };
  /** A store that `state` names instead of a folder. Refused by the rules. */
  readonly stateStore?: SecretRef;
};

/** Why no answer came. `refused`: certainly not sent. `cut`: the connection went away under the request. `timeout`: the deadline passed. */
export type Transport = "refused" | "cut" | "timeout";

export type CodesByClass = Readonly<Partial<Record<OutcomeClass, readonly string[]>>>;

/** Outcome → class, as written for one API: see `rule-codes.ts` for what an item of a list may be. */
export type ClassRules = {
  /** The table that it adds to; its own rows win. */
  readonly extends?: typeof SHIPPED_RULES;
  /** JSON paths of the code in an answer; the first that is there decides. Absent: those of the table that it adds to. */
  readonly code?: readonly string[];
  readonly codes: CodesByClass;
  /** Of answers without a code. */
  readonly status: CodesByClass;
  readonly transport: Readonly<Partial<Record<Transport, OutcomeClass>>>;
  readonly lostState?: readonly string[];
  readonly failingPrefix?: string;
  /** Whether a page that is no JSON may be `ok` by its status. */
  readonly answers: "json" | "any";
};

/** A difference that may stand, until the end of a day in UTC (ms since the epoch). `fact`: an id, or a pattern of ids. */
export type Acceptance = { readonly fact: string; readonly because: string; readonly untilMs: number };

export type ConductorPlace = {
  readonly image: string;
  readonly serviceAccount: string;
  readonly context: string;
  readonly namespace: string;
  /** Secret whose keys become environment variables. */
  readonly env?: string;
  /** Secret whose key `config` is a kubeconfig. Absent: the service account of the pod, which reaches its own cluster alone. */
  readonly kubeconfig?: string;
};

export type JobsPlace = {
  readonly context: string;
  readonly namespace: string;
  /** Path of the kubeconfig, or the kubeconfig itself. Absent: where kubectl finds it. */
  readonly kubeconfig?: Value;
};

export type EnvironmentRegion = { readonly probe?: ProbeTarget };
export type ProbeTarget = OkxProbe | HttpProbe;

/** Where a region's probes run as a Deployment of their own. */
export type ProberPlace = {
  readonly context: string;
  readonly namespace: string;
  /** Image of midflight, with its digest. */
  readonly image: string;
  /** Secret whose keys become environment variables: what the probe refers to by `{ env }`. */
  readonly env?: string;
  /** Path of the kubeconfig, or the kubeconfig itself. Absent: where kubectl finds it. */
  readonly kubeconfig?: Value;
};

/** A venue with the OKX V5 API. */
export type OkxProbe = {
  readonly kind: "okx";
  readonly rest: string;
  readonly ws?: string;
  /** JSON list of `{apiKey, secret, passphrase, cohort}`. */
  readonly accounts: Value;
  /** Instrument that probe orders are sent for. Default BTC-USDT. */
  readonly instrument: string;
  /** Most probe orders of the region that may rest, and what they may be worth in the quote currency. Default 200 orders and 1000. */
  readonly exposure?: { readonly orders?: number; readonly notional?: number };
  readonly simulatedTrading: boolean;
  /** Class rules by name; okx-v5 where it says none. */
  readonly rules?: string;
  /** Absent: they run beside the guard. */
  readonly in?: ProberPlace;
};

/** Any other system that speaks HTTP. Texts of requests are templates: see `template.ts`. */
export type HttpProbe = {
  readonly kind: "http";
  /** Base address of the region's system; its path stands before those of the operations. */
  readonly url: string;
  /** Class rules by name; okx-v5 where it says none. */
  readonly rules?: string;
  /** Values for placeholders, alike for every cohort. */
  readonly values: Readonly<Record<string, Value>>;
  /** JSON list of `{cohort, …}` whose other keys are values for placeholders. Absent: one cohort, called all. */
  readonly cohorts?: Value;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** In the order in which one follows the other, and again from the first. */
  readonly operations: readonly HttpOperation[];
  /** Name of the operation that takes back what the first one began. */
  readonly cleanUp?: string;
  /** Headers of an answer that name the release and the instance which served it. */
  readonly releaseHeader?: string;
  readonly instanceHeader?: string;
  /** Requests of one cohort. */
  readonly mostPerSec?: number;
  /** Absent: it runs beside the guard. */
  readonly in?: ProberPlace;
};

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type HttpRequest = {
  readonly method: HttpMethod;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};
export type HttpOperation = HttpRequest & {
  readonly name: Operation;
  readonly body?: { readonly kind: "json"; readonly value: unknown } | { readonly kind: "text"; readonly text: string };
  /** Name of a placeholder for later operations → JSON path of its value in the answer. */
  readonly keep: Readonly<Record<string, string>>;
  /** What shows that it was executed: `is` at the JSON path `at` of the answer. */
  readonly shown?: HttpRequest & { readonly at: string; readonly is: string };
};

/** Where users' own operations are counted, beside the counters that instances have themselves. */
export type LiveSource = PrometheusSource | CommandSource;

/** What a live source tells of, and nobody else: counted twice, one failure would weigh as two. */
type Covers = {
  readonly regions: readonly string[];
  readonly operations: readonly Operation[];
  /** Whether the guard's own probes are among what it counts. Default: true for Prometheus, false for a command. */
  readonly countsProbes: boolean;
  /** Class rules by name; okx-v5 where it says none. */
  readonly rules?: string;
};
export type PrometheusSource = Covers & {
  readonly kind: "prometheus";
  /** Base address: `/api/v1/query` is below it. */
  readonly url: Value;
  readonly token?: Value;
  /** PromQL that gives the raw samples of a cumulative counter, each with its own time: it ends in a range. */
  readonly query: string;
  readonly labels: SourceLabels;
  /** False: the HTTP status decides alone. */
  readonly hasCodes: boolean;
  readonly everyMs: number;
  /** Samples older than this are no news. */
  readonly staleAfterMs: number;
};
/** Which label says what. */
export type SourceLabels = Readonly<
  Record<"operation" | "code" | "http" | "cohort" | "region" | "release" | "instance", string>
>;
/** A program that prints counts without end. */
export type CommandSource = Covers & {
  readonly kind: "command";
  readonly argv: readonly string[];
  /** No closed bin for this long is silence. */
  readonly silentAfterMs: number;
};

export type EnvironmentComponent = ProcessComponent | PostgresComponent | CommandComponent | KubernetesComponent;

/** Where an instance counts operations. `rules`: class rules by name; okx-v5 where it says none. */
export type InstanceCounters = { readonly path: string; readonly metric: string; readonly rules?: string };

export type ProcessComponent = {
  readonly driver: "process";
  /** Region → admin address of its balancer. */
  readonly balancer: Readonly<Record<string, string>>;
  /** Instances per region. */
  readonly instances: number;
  readonly env: Readonly<Record<string, Value>>;
  /** Paths on the instance itself. Defaults: `/-/ready`, `/-/drain`, `/-/undrain`, `/-/drained`. */
  readonly ready: string;
  readonly drain: string;
  readonly undrain: string;
  readonly drained: string;
  /** Whether users' operations enter here, so that instances can be probed directly, and new ones compared with old ones. */
  readonly isEntry: boolean;
  /** Counters of operations in Prometheus text format, read directly from every instance. */
  readonly counters?: InstanceCounters;
  readonly readyDeadlineMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopDeadlineMs: number;
};
export type PostgresComponent = {
  readonly driver: "postgres";
  readonly url: Value;
  readonly trials?: StoreTrials;
  readonly reference?: readonly ReferenceTable[];
};
/** A table whose rows are metadata: compared one by one, found by their key. */
export type ReferenceTable = {
  /** With its schema: `public.instruments`. */
  readonly table: string;
  readonly key: readonly string[];
  /** Columns that differ by nature, those among them that every table may have. */
  readonly ignore: readonly string[];
};
/** How migrations are tried on clones of a demo store; where nothing is said, with all rows and nobody sent away. `rows`: of each table, and all that these refer to. `mask`: `table.column`. */
export type StoreTrials = {
  readonly rows: number | "all";
  readonly mask: readonly string[];
  /** `ask`: sessions on the store refuse the copy; `send-away`: they are ended once. */
  readonly sessions: "ask" | "send-away";
};
export type CommandComponent = {
  readonly driver: "command";
  readonly observe: readonly string[];
  readonly apply: readonly string[];
  readonly undo: readonly string[];
  readonly ready: readonly string[];
  readonly shell: boolean;
  readonly timeoutMs: number;
};

/** What pods belong to. A Deployment brings new pods beside the old ones; the other two replace pods in their places. */
export type KubernetesObject = { readonly kind: KubernetesKind; readonly name: string };
export type KubernetesKind = "Deployment" | "StatefulSet" | "DaemonSet";
/** The key of an environment file that names an object of a kind. */
export type KubernetesKey = "deployment" | "statefulSet" | "daemonSet";

/**
 * `selector`: the Service's selector names one release, so that all users are switched at once. `httpRoute`: a route of the Gateway API weighs the
 * Service and the one beside it, each of which names one release, so that users are moved by any share.
 */
export type KubernetesTraffic =
  | { readonly kind: "selector" }
  | { readonly kind: "httpRoute"; readonly route: string; readonly beside: string };

/** A stock Deployment, StatefulSet or DaemonSet in each region. */
export type KubernetesComponent = {
  readonly driver: "kubernetes";
  /** Its pods are the instances. Named alike in every region. */
  readonly object: KubernetesObject;
  /** What the file names, in our order. Refused by the rules unless it is exactly one. */
  readonly named: readonly KubernetesKey[];
  /** Of its template: the one whose image is the release. Default: named like the object. */
  readonly container: string;
  /** Users reach the pods through it. */
  readonly service: string;
  /** How users are told apart by release. Absent: they are not, and the Service sends every pod the same. */
  readonly traffic?: KubernetesTraffic;
  /** Region → context of the kubeconfig. */
  readonly contexts: Readonly<Record<string, string>>;
  /** Default: the context's own. */
  readonly namespace?: string;
  /** Path of the kubeconfig, or the kubeconfig itself. Default: where kubectl finds it. */
  readonly kubeconfig?: Value;
  /** Store → the address by which the pods come to it, as seen from the machine that rehearses. */
  readonly stores: Readonly<Record<string, Value>>;
  /** Pods per region. */
  readonly instances: number;
  /** On which a pod is probed directly. */
  readonly port: number;
  /** Whether users' operations enter here, so that pods can be probed directly, and new ones compared with old ones. */
  readonly isEntry: boolean;
  /** Counters of operations in Prometheus text format, read directly from every pod. */
  readonly counters?: InstanceCounters;
  /** Managers of the object that can be told to wait are told so while a run lasts. */
  readonly pausesManagers?: boolean;
  /** From an order to pods that serve. */
  readonly readyDeadlineMs: number;
};

export type NotifyKind = NoticeChoice | "override";
/** Kinds that a rule may choose from. That somebody goes without a certificate is told to everybody. */
export type NoticeChoice = "tripped" | "stranded" | "unknown" | "ended" | "held" | "approval";
export type NotifyRule = {
  readonly target:
    | { readonly kind: "webhook"; readonly url: Value }
    | { readonly kind: "command"; readonly argv: readonly string[] };
  readonly on: readonly NotifyKind[];
};

/** A key that an environment trusts: `publicKey` is base64 of its SPKI. */
export type PublicKeyFile = { readonly midflight: 1; readonly name: string; readonly publicKey: string };

/** releases.yaml: release → what each driver runs. */
export type Releases = {
  readonly midflight: 1;
  readonly file: string;
  readonly releases: Readonly<Record<string, Release>>;
};
export type Release = {
  readonly process?: ProcessRelease;
  readonly command?: { readonly digest: string };
  readonly kubernetes?: KubernetesRelease;
};
export type ProcessRelease = {
  /** `sha256:<64 hex>` over the sorted (path, mode, bytes) of `path`. */
  readonly digest: string;
  /** Folder, as written: relative to the file's folder. */
  readonly path: string;
  /** Run in that folder. `node` as first word means the Node that runs midflight. */
  readonly run: readonly string[];
};

export type KubernetesRelease = {
  /** With its digest: `registry/gateway@sha256:<64 hex>`. */
  readonly image: string;
  /** ConfigMap or Secret, as the pod template names it → sha256 of its canonical data. Pods read an immutable copy, `NAME-<first 10 digits>`. */
  readonly config?: Readonly<Record<string, string>>;
};

/** One migration as read from its folder: `NNNN_name.{up,verify,down}.sql`. */
export type Migration = {
  /** `0001_price_bands`. */
  readonly name: string;
  readonly phase: MigrationPhase;
  readonly transactional: boolean;
  readonly up: string;
  readonly verify: string;
  readonly down: string;
};
