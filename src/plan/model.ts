/**
 * What the three files say once they are parsed: durations in milliseconds, shares in per cent, defaults filled in.
 * The schemas in this folder produce these types and nothing else; later stages never see YAML.
 */

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

/** `soakMs`: healthy time that demo must carry the new release before a certificate is valid. `validForMs`: how long it is valid then. */
export type PlanRehearsal = { readonly soakMs: number; readonly validForMs: number };

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

/** Runs a program. Exit status 0 is success. No shell unless `shell` is true (then `argv` has one element). */
export type RunStep = Patience & {
  readonly kind: "run";
  readonly argv: readonly string[];
  readonly undo?: readonly string[];
  readonly shell: boolean;
};

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

export type Operation = "order" | "amend" | "cancel";

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
  readonly notify: readonly NotifyRule[];
  readonly trusts: readonly string[];
  /** `notBySigner`: whoever signed an upgrade's certificate neither starts it nor approves a step of it. */
  readonly approval: { readonly notBySigner: boolean };
  /** Differences from the environment that it is compared with that may stand. */
  readonly parity: { readonly accept: readonly Acceptance[] };
  /** Folder for runs, journals and leases, as written: relative to the file's folder. Default `.midflight`. */
  readonly state: string;
  /** A store that `state` names instead of a folder. Refused by the rules: state is kept in files so far. */
  readonly stateStore?: SecretRef;
};

/** A difference that may stand, until the end of a day in UTC (ms since the epoch). `fact`: an id, or a pattern of ids. */
export type Acceptance = { readonly fact: string; readonly because: string; readonly untilMs: number };

export type EnvironmentRegion = { readonly probe?: ProbeTarget };
export type ProbeTarget = {
  readonly kind: "okx";
  readonly rest: string;
  readonly ws?: string;
  /** JSON list of `{apiKey, secret, passphrase, cohort}`. */
  readonly accounts: Value;
  /** Instrument that probe orders are sent for. Default BTC-USDT. */
  readonly instrument: string;
  readonly simulatedTrading: boolean;
};

export type EnvironmentComponent = ProcessComponent | PostgresComponent | CommandComponent | KubernetesComponent;

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
  /** Counters of operations in Prometheus text format, read directly from every instance. */
  readonly counters?: { readonly path: string; readonly metric: string };
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

/** A stock Deployment in each region. */
export type KubernetesComponent = {
  readonly driver: "kubernetes";
  readonly deployment: string;
  /** Of its template: the one whose image is the release. Default: named like the Deployment. */
  readonly container: string;
  /** Users reach the pods through it. */
  readonly service: string;
  /** Region → context of the kubeconfig. */
  readonly contexts: Readonly<Record<string, string>>;
  /** Default: the context's own. */
  readonly namespace?: string;
  /** Path of the kubeconfig, or the kubeconfig itself. Default: where kubectl finds it. */
  readonly kubeconfig?: Value;
  /** Pods per region. */
  readonly instances: number;
  /** On which a pod is probed directly. */
  readonly port: number;
  /** Counters of operations in Prometheus text format, read directly from every pod. */
  readonly counters?: { readonly path: string; readonly metric: string };
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
