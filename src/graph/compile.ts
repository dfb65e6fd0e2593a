import { Bug } from "../errors/bug.ts";
import type {
  Environment,
  EnvironmentComponent,
  Migration,
  Plan,
  PlanComponent,
  Release,
  Releases,
  RollStep,
} from "../plan/model.ts";
import { isEntry } from "../plan/entry.ts";
import { isBroughtByAdmission, isInPlace, isSwitched } from "../plan/in-place.ts";
import { instancesOf } from "../plan/instances-of.ts";
import { regionsOf } from "../plan/regions-of.ts";
import { compileStep, type StepContext } from "./compile-step.ts";
import type { Graph, GraphComponent, WorkloadComponent } from "./graph.ts";
import { canonicalJson } from "./fingerprint.ts";
import { kubernetesDigest } from "./release-digest.ts";

export type CompileInput = {
  readonly plan: Plan;
  readonly environment: Environment;
  /** With what the environment adds to them. */
  readonly releases: Releases;
  /** Component → its migrations, sorted by name. */
  readonly migrations: Readonly<Record<string, readonly Migration[]>>;
  /** Component → what its driver starts in this environment. */
  readonly programs?: Readonly<Record<string, NonNullable<WorkloadComponent["programs"]>>>;
  readonly sha256: (text: string) => string;
};

const DEFAULT_DRAIN = { noticeMs: 3_000, deadlineMs: 10_000 };

/** Plan and environment → steps with stable ids. Expects input that passed every rule; anything else is a `Bug`. */
export function compile(input: CompileInput): Graph {
  const { plan, environment } = input;
  const components = Object.fromEntries(
    Object.entries(plan.components).map(([name, component]) => [name, compileComponent(input, name, component)]),
  );
  const context: StepContext = { plan, environment, components, migrations: input.migrations };
  return {
    midflight: 1,
    plan: plan.name,
    ...(plan.summary === undefined ? {} : { summary: plan.summary }),
    environment: environment.name,
    class: environment.class,
    regions: Object.keys(environment.regions),
    components,
    moves: plan.steps.flatMap((step, index) => compileStep(context, step, index)),
    guard: plan.guard,
    backups: plan.backups,
    ...(environment.releases === undefined
      ? {}
      : { releases: `sha256:${input.sha256(canonicalJson(environment.releases))}` }),
  };
}

function compileComponent(input: CompileInput, name: string, component: PlanComponent): GraphComponent {
  const placed = input.environment.components[name];
  if (placed === undefined) throw new Bug(`component ${name} has no place in ${input.environment.name}`);
  if (placed.driver === "postgres") return metadataComponent(input, name);
  const programs = input.programs?.[name] ?? [];
  return {
    kind: "workload",
    name,
    driver: placed.driver,
    ...(programs.length === 0 ? {} : { programs }),
    ...(isEntry(placed) ? {} : { isBehind: true }),
    ...(isInPlace(placed) ? { isInPlace: true } : {}),
    ...(isBroughtByAdmission(placed) ? { isBroughtByAdmission: true } : {}),
    ...(isSwitched(placed) ? { isSwitched: true } : {}),
    regions: regionsOf(input.environment, placed),
    instances: instancesOf(placed) ?? 1,
    target: targetOf(input, name, component, placed),
    floorPct: component.floorPct,
    ...(component.needs.length === 0 ? {} : { needs: component.needs }),
    drain: drainOf(input.plan, name),
  };
}

function metadataComponent(input: CompileInput, name: string): GraphComponent {
  const migrations = (input.migrations[name] ?? []).map((migration) => ({
    name: migration.name,
    sha256: [input.sha256(migration.up), input.sha256(migration.verify), input.sha256(migration.down)] as const,
  }));
  return { kind: "metadata", name, driver: "postgres", migrations };
}

function targetOf(
  input: CompileInput,
  name: string,
  component: PlanComponent,
  placed: EnvironmentComponent,
): { release: string; digest: string } {
  const release = component.release;
  if (release === undefined) throw new Bug(`component ${name} names no release`);
  const digest = digestFor(input.releases.releases[release], placed, input.sha256);
  if (digest === undefined) throw new Bug(`release ${release} has no digest for driver ${placed.driver}`);
  return { release, digest };
}

function digestFor(
  release: Release | undefined,
  { driver }: EnvironmentComponent,
  sha256: CompileInput["sha256"],
): string | undefined {
  switch (driver) {
    case "process":
    case "command":
      return release?.[driver]?.digest;
    case "kubernetes":
      return release?.kubernetes === undefined ? undefined : kubernetesDigest(release.kubernetes, sha256);
    case "postgres":
      return undefined;
  }
}

const drainOf = (plan: Plan, component: string) =>
  plan.steps.find((step): step is RollStep => step.kind === "roll" && step.component === component)?.drain ??
  DEFAULT_DRAIN;
