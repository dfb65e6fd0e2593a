import type { Problem } from "../../errors/problem.ts";
import { didYouMean } from "../nearest.ts";
import type { RollStep } from "../../plan/model.ts";
import type { Rule, Together } from "./together.ts";

/** Every component has a place in the environment. */
export const componentsArePlaced: Rule = ({ plan, environment }) =>
  environment === undefined
    ? []
    : Object.keys(plan.value.components)
        .filter((name) => environment.value.components[name] === undefined)
        .map((name) => plan.source.problem("not-placed", ["components"], `${environment.value.file} does not say where \`${name}\` is`, { key: name, hint: didYouMean(name, Object.keys(environment.value.components)) }));

/** Each driver can do some steps. */
export const driverCan: Rule = ({ plan, environment }) =>
  environment === undefined
    ? []
    : plan.value.steps.flatMap((step, index) => {
        if (!("component" in step)) return [];
        const driver = environment.value.components[step.component]?.driver;
        if (driver === undefined) return [];
        const path = ["steps", index, step.kind];
        if (step.kind === "migrate" && driver !== "postgres") return [plan.source.problem("driver-cannot", path, `driver \`${driver}\` cannot migrate`, { hint: "migrate a postgres component" })];
        if ((step.kind === "roll" || step.kind === "shift") && driver === "postgres") return [plan.source.problem("driver-cannot", path, `driver \`postgres\` cannot ${step.kind}`, { hint: "use `- migrate:`" })];
        if (step.kind === "shift" && driver !== "process") return [plan.source.problem("driver-cannot", path, `driver \`${driver}\` has no balancer to shift traffic with`, { hint: "use the process driver" })];
        if (step.kind === "roll" && driver === "command" && step.dark !== undefined) return [plan.source.problem("driver-cannot", path, "driver `command` has no instance that could be proved in the dark", { hint: "add `dark: none` to the step" })];
        return [];
      });

/** Regions exist, and each has a probe: what nobody probes would be promoted unseen. */
export const regionsAreKnown: Rule = ({ plan, environment }) => {
  if (environment === undefined) return [];
  const known = Object.keys(environment.value.regions);
  const named = plan.value.steps.flatMap((step, index) => {
    if (step.kind === "roll") return step.waves.flatMap((wave, at) => unknownRegions(plan, wave.regions, known, ["steps", index, "waves", at, "regions"]));
    return step.kind === "shift" ? unknownRegions(plan, step.regions, known, ["steps", index, "regions"]) : [];
  });
  const blind = Object.entries(environment.value.regions).flatMap(([name, region]) => (region.probe === undefined ? [environment.source.problem("no-probe", ["regions", name], `nothing probes region \`${name}\``, { hint: "add `probe: { okx: { rest: …, accounts: … } }`" })] : []));
  return [...named, ...blind];
};

const unknownRegions = (plan: Together["plan"], regions: readonly string[] | "rest", known: readonly string[], path: readonly (string | number)[]): readonly Problem[] =>
  regions === "rest" ? [] : regions.flatMap((region, index) => (known.includes(region) ? [] : [plan.source.problem("unknown-region", [...path, index], `there is no region \`${region}\``, { hint: didYouMean(region, known) })]));

/** No batch takes a region below the floor that the plan states, and none is larger than the region. */
export const floorHolds: Rule = ({ plan, environment }) =>
  environment === undefined
    ? []
    : plan.value.steps.flatMap((step, index) => {
        if (step.kind !== "roll") return [];
        const placed = environment.value.components[step.component];
        return placed?.driver === "process" ? waveProblems(plan, step, index, placed.instances) : [];
      });

function waveProblems(plan: Together["plan"], step: RollStep, index: number, instances: number): readonly Problem[] {
  const floorPct = plan.value.components[step.component]?.floorPct ?? 100;
  return step.waves.flatMap((wave, at) => {
    const path = ["steps", index, "waves", at];
    if (wave.batch > instances) return [plan.source.problem("batch-too-large", [...path, "batch"], `a batch of ${wave.batch} is more than the ${instances} instances of a region`, { hint: `at most ${instances}` })];
    const leftPct = (100 * (instances - wave.batch)) / instances;
    if (wave.surge > 0 || leftPct >= floorPct) return [];
    return [plan.source.problem("floor-broken", [...path, "batch"], `without surge a batch of ${wave.batch} leaves ${Math.floor(leftPct)} % of ${instances}, and the floor is ${floorPct} %`, { hint: `add \`surge: ${wave.batch}\`, or lower the floor` })];
  });
}

/** What a run writes down must not be in what it upgrades. */
export const stateIsApart: Rule = ({ plan, environment }) =>
  environment !== undefined && /^postgres(ql)?:/.test(environment.value.state)
    ? [environment.source.problem("state-in-store", ["state"], "state kept in a store cannot be read when that store is what broke", { hint: `keep it in a folder; ${plan.value.name} upgrades stores` })]
    : [];

/** A migrate step has something to apply. */
export const migrationsExist: Rule = ({ plan, migrations }) =>
  migrations === undefined
    ? []
    : plan.value.steps.flatMap((step, index) => {
        if (step.kind !== "migrate") return [];
        const component = plan.value.components[step.component];
        if (component === undefined) return [];
        if (component.migrations === undefined) return [plan.source.problem("no-migrations", ["components", step.component], `\`${step.component}\` names no folder of migrations`, { hint: "add `migrations: ./folder`" })];
        return (migrations[step.component] ?? []).some((one) => one.phase === step.phase) ? [] : [plan.source.problem("nothing-to-migrate", ["steps", index, "phase"], `no migration in ${component.migrations} is of phase \`${step.phase}\``, { hint: "the phase stands in the file's head: `-- midflight: phase expand`" })];
      });
