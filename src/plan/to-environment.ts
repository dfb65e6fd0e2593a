import { defined } from "./defined.ts";
import { mapValues } from "./map-values.ts";
import type {
  Environment,
  EnvironmentComponent,
  EnvironmentRegion,
  KubernetesComponent,
  KubernetesKey,
  KubernetesKind,
  KubernetesTraffic,
  JobsPlace,
  NoticeChoice,
  NotifyRule,
  ReferenceTable,
  StoreTrials,
} from "./model.ts";
import { operationsIn } from "./operations-of.ts";
import type { EnvironmentInput } from "./schema/environment-schema.ts";
import { toClassRules } from "./to-class-rules.ts";
import { toLiveSource } from "./to-live-source.ts";
import { toProbe } from "./to-probe.ts";
import { toRelease } from "./to-releases.ts";
import { toSecret, toValue } from "./to-value.ts";
import { endOfDayMs, msOr } from "./value-of.ts";

/** What is written → what it means. */
export const toEnvironment = (input: EnvironmentInput, file: string): Environment => {
  const hasCounters = Object.values(input.components).some(
    (component) => "counters" in component && component.counters !== undefined,
  );
  const regions = mapValues(input.regions, (region) => toRegion(region, input.class === "demo"));
  const everything = { regions: Object.keys(regions), operations: operationsIn({ regions }) };
  return defined({
    midflight: input.midflight,
    file,
    name: input.environment,
    class: input.class,
    rehearsedIn: input.rehearsedIn,
    regions,
    components: mapValues(input.components, (component) => toComponent(component, hasCounters)),
    releases: input.releases === undefined ? undefined : mapValues(input.releases, (release) => toRelease(release)),
    sources: (input.sources ?? []).map((source) => toLiveSource(source, everything)),
    notify: (input.notify ?? []).map((rule) => toNotify(rule)),
    trusts: input.trusts ?? [],
    approval: { notBySigner: input.approval?.notBySigner ?? false },
    parity: {
      accept: (input.parity?.accept ?? []).map(({ fact, because, until }) => ({
        fact,
        because,
        untilMs: endOfDayMs(until),
      })),
    },
    rules: mapValues(input.rules ?? {}, (rules) => toClassRules(rules)),
    inCluster: input.inCluster === undefined ? undefined : defined(input.inCluster),
    jobs: input.jobs === undefined ? undefined : toJobsPlace(input.jobs),
    state: typeof input.state === "string" ? input.state : ".midflight",
    ...stateBeyondFolder(input.state),
  });
};

/** What `state` names that is no folder. */
function stateBeyondFolder(state: EnvironmentInput["state"]): Pick<Environment, "stateStore" | "stateCluster"> {
  if (state === undefined || typeof state === "string") return {};
  return "kubernetes" in state ? { stateCluster: state.kubernetes } : { stateStore: toSecret(state) };
}

const toJobsPlace = ({ context, namespace, kubeconfig }: NonNullable<EnvironmentInput["jobs"]>): JobsPlace =>
  defined({ context, namespace, kubeconfig: kubeconfig === undefined ? undefined : toValue(kubeconfig) });

const toRegion = ({ probe }: EnvironmentInput["regions"][string], isDemo: boolean): EnvironmentRegion =>
  probe === undefined ? {} : { probe: toProbe(probe, isDemo) };

/** `hasCounters`: some component of the environment counts operations, so that they enter where they are counted. */
function toComponent(input: EnvironmentInput["components"][string], hasCounters: boolean): EnvironmentComponent {
  switch (input.driver) {
    case "process":
      return defined({
        driver: input.driver,
        balancer: input.balancer,
        instances: input.instances,
        env: Object.fromEntries(Object.entries(input.env ?? {}).map(([name, value]) => [name, toValue(value)])),
        ready: input.ready ?? "/-/ready",
        drain: input.drain ?? "/-/drain",
        undrain: input.undrain ?? "/-/undrain",
        drained: input.drained ?? "/-/drained",
        isEntry: input.entry ?? (!hasCounters || input.counters !== undefined),
        counters: input.counters === undefined ? undefined : defined(input.counters),
        readyDeadlineMs: msOr(input.readyDeadline, 30_000),
        stopDeadlineMs: msOr(input.stopDeadline, 10_000),
      });
    case "postgres":
      return defined({
        driver: input.driver,
        url: toValue(input.url),
        trials: input.trials === undefined ? undefined : toTrials(input.trials),
        reference: input.reference?.map((table) => toReference(table)),
      });
    case "kubernetes": {
      const { object, named } = toObject(input);
      return defined({
        driver: input.driver,
        object,
        named,
        container: input.container ?? object.name,
        service: input.service,
        traffic: input.traffic === undefined ? undefined : toTraffic(input.traffic),
        contexts: input.contexts,
        namespace: input.namespace,
        kubeconfig: input.kubeconfig === undefined ? undefined : toValue(input.kubeconfig),
        stores: mapValues(input.stores ?? {}, (value) => toValue(value)),
        instances: input.instances,
        port: input.port,
        isEntry: input.entry ?? (!hasCounters || input.counters !== undefined),
        counters: input.counters === undefined ? undefined : defined(input.counters),
        pausesManagers: input.pause === true ? true : undefined,
        readyDeadlineMs: msOr(input.readyDeadline, 120_000),
      });
    }
    case "command":
      return {
        driver: input.driver,
        observe: input.observe,
        apply: input.apply,
        undo: input.undo,
        ready: input.ready,
        shell: input.shell ?? false,
        timeoutMs: msOr(input.timeout, 60_000),
      };
  }
}

type KubernetesInput = Extract<EnvironmentInput["components"][string], { driver: "kubernetes" }>;

/** All that are named; the first of them is the object. Where none or several are, a rule refuses the file. */
function toObject(input: KubernetesInput): Pick<KubernetesComponent, "object" | "named"> {
  const written: readonly (readonly [KubernetesKey, KubernetesKind, string | undefined])[] = [
    ["deployment", "Deployment", input.deployment],
    ["statefulSet", "StatefulSet", input.statefulSet],
    ["daemonSet", "DaemonSet", input.daemonSet],
  ];
  const found = written.flatMap(([key, kind, name]) => (name === undefined ? [] : [{ key, object: { kind, name } }]));
  return { object: found[0]?.object ?? { kind: "Deployment", name: "" }, named: found.map(({ key }) => key) };
}

const DEFAULT_ROWS = 1_000;

type TrialsInput = NonNullable<Extract<EnvironmentInput["components"][string], { driver: "postgres" }>["trials"]>;

const toTrials = (input: TrialsInput): StoreTrials => ({
  rows: input.content === "sample" ? (input.rows ?? DEFAULT_ROWS) : "all",
  mask: input.mask ?? [],
  sessions: input.sessions ?? "ask",
});

const toTraffic = (input: NonNullable<KubernetesInput["traffic"]>): KubernetesTraffic =>
  "switch" in input ? { kind: input.switch } : { kind: "httpRoute", route: input.httpRoute, beside: input.beside };

/** Numbers that each venue gives for itself, and when somebody last wrote a row. */
const OWN_BY_NATURE = ["inst_id_code", "created_at", "updated_at", "modified_at"];

type ReferenceInput = NonNullable<
  Extract<EnvironmentInput["components"][string], { driver: "postgres" }>["reference"]
>[number];

const toReference = ({ table, key, ignore = [] }: ReferenceInput): ReferenceTable => ({
  table: table.includes(".") ? table : `public.${table}`,
  key,
  ignore: [...new Set([...OWN_BY_NATURE.filter((column) => !key.includes(column)), ...ignore])].toSorted(),
});

const ALL_CHOICES: readonly NoticeChoice[] = ["tripped", "stranded", "unknown", "ended", "held", "approval"];

const toNotify = (input: NonNullable<EnvironmentInput["notify"]>[number]): NotifyRule => ({
  target:
    "webhook" in input
      ? { kind: "webhook", url: toValue(input.webhook.url) }
      : { kind: "command", argv: input.command },
  on: [...(input.on ?? ALL_CHOICES), "override"],
});
