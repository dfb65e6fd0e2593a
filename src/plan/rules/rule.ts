import type { Problem } from "../../errors/problem.ts";
import type { Located } from "../located.ts";
import type { Environment, Migration, Plan, PlanStep, Releases } from "../model.ts";
import { problemAt, type Complaint } from "../source/source.ts";

/** Everything that rules look at. What was not given is not checked. */
export type Together = {
  readonly plan: Located<Plan>;
  readonly environment?: Located<Environment>;
  readonly releases?: Located<Releases>;
  /** Component → its migrations. */
  readonly migrations?: Readonly<Record<string, readonly Migration[]>>;
};

/** A rule reports every breach of it, each with its place. Rules do not know each other; one breach may bring several to speak. */
export type PlanRule = (plan: Plan) => readonly Complaint[];
export type EnvironmentRule = (environment: Environment) => readonly Complaint[];
export type ReleasesRule = (releases: Releases) => readonly Complaint[];
export type TogetherRule = (given: Together) => readonly Problem[];

/** A rule about what the plan says, for which the environment must be known. */
export const inPlan =
  (rule: (plan: Plan, environment: Environment, given: Together) => readonly Complaint[]): TogetherRule =>
  (given) =>
    given.environment === undefined
      ? []
      : rule(given.plan.value, given.environment.value, given).map((complaint) =>
          problemAt(given.plan.source, complaint),
        );

type Kind = PlanStep["kind"];
export type Indexed<K extends Kind> = {
  readonly step: Extract<PlanStep, { readonly kind: K }>;
  readonly index: number;
};

export const stepsOf = <K extends Kind>(plan: Plan, kind: K): readonly Indexed<K>[] =>
  plan.steps.flatMap((step, index) => (isOf(step, kind) ? [{ step, index }] : []));

const isOf = <K extends Kind>(step: PlanStep, kind: K): step is Extract<PlanStep, { readonly kind: K }> =>
  step.kind === kind;

/** `steps[2]`, for sentences. */
export const stepName = (index: number): string => `step ${index + 1}`;

/** Items of a list that stood in it before, with their place in it. */
export const repeated = (items: readonly string[]): readonly { readonly item: string; readonly index: number }[] =>
  items.map((item, index) => ({ item, index })).filter(({ item, index }) => items.indexOf(item) < index);
