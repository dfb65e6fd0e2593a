import type { Problem } from "../errors/problem.ts";
import type { Located } from "./located.ts";
import type { Environment, Plan, Releases } from "./model.ts";
import { batchFits } from "./rules/batch-fits.ts";
import { classFits } from "./rules/class-fits.ts";
import { classRulesHold } from "./rules/class-rules-hold.ts";
import { componentKind } from "./rules/component-kind.ts";
import { componentRegions } from "./rules/component-regions.ts";
import { componentsPlaced } from "./rules/components-placed.ts";
import { contractAfterSoak } from "./rules/contract-after-soak.ts";
import { contractEverywhere } from "./rules/contract-everywhere.ts";
import { countersAtEntry } from "./rules/counters-at-entry.ts";
import { deadlineFitsDrain } from "./rules/deadline-fits-drain.ts";
import { driverCan } from "./rules/driver-can.ts";
import { expandBeforeRoll } from "./rules/expand-before-roll.ts";
import { floorHolds } from "./rules/floor-holds.ts";
import { guardSees } from "./rules/guard-sees.ts";
import { httpProbesHold } from "./rules/http-probes-hold.ts";
import { irreversibleHasBackup } from "./rules/irreversible-has-backup.ts";
import { knownBackups } from "./rules/known-backups.ts";
import { knownComponents } from "./rules/known-components.ts";
import { migrationsExist } from "./rules/migrations-exist.ts";
import { needsCycle } from "./rules/needs-cycle.ts";
import { noRepetition } from "./rules/no-repetition.ts";
import { noSecrets } from "./rules/no-secrets.ts";
import { oneObject } from "./rules/one-object.ts";
import { operationsSeen } from "./rules/operations-seen.ts";
import { operationsProbed } from "./rules/operations-probed.ts";
import { placeholdersKnown } from "./rules/placeholders-known.ts";
import { probersPlaced } from "./rules/probers-placed.ts";
import { proofPossible } from "./rules/proof-possible.ts";
import { proofProbed } from "./rules/proof-probed.ts";
import { referenceTables } from "./rules/reference-tables.ts";
import { regionsProbed } from "./rules/regions-probed.ts";
import { releaseKnown } from "./rules/release-known.ts";
import { ownReleasesStandStill, releasesStandStill, releaseStandsStill } from "./rules/release-stands-still.ts";
import { releasesAgree } from "./rules/releases-agree.ts";
import { ownReleasesRunSomewhere, releasesRunSomewhere } from "./rules/releases-run-somewhere.ts";
import { replacedInPlace } from "./rules/replaced-in-place.ts";
import { restLast } from "./rules/rest-last.ts";
import type { EnvironmentRule, PlanRule, ReleasesRule, Together, TogetherRule } from "./rules/rule.ts";
import { rulesKnown } from "./rules/rules-known.ts";
import { shellOneLine } from "./rules/shell-one-line.ts";
import { sourcesApart } from "./rules/sources-apart.ts";
import { sourcesFit } from "./rules/sources-fit.ts";
import { jobsPlaced } from "./rules/jobs-placed.ts";
import { stateApart, stateIsKept } from "./rules/state-apart.ts";
import { stepFitsComponent } from "./rules/step-fits-component.ts";
import { stepsOnce } from "./rules/steps-once.ts";
import { sharesFit, sharesRise } from "./rules/shares-fit.ts";
import { surgeCoversBatch } from "./rules/surge-covers-batch.ts";
import { besideDiffers, switchFits } from "./rules/switch-fits.ts";
import { storesKnown } from "./rules/stores-known.ts";
import { trialsInDemo } from "./rules/trials-in-demo.ts";
import { waveRegions } from "./rules/wave-regions.ts";
import { inOrder } from "./source/in-order.ts";
import { problemAt, type Complaint } from "./source/source.ts";

export type { Together } from "./rules/rule.ts";

const PLAN_RULES: readonly PlanRule[] = [
  componentKind,
  knownComponents,
  needsCycle,
  noRepetition,
  stepFitsComponent,
  stepsOnce,
  restLast,
  surgeCoversBatch,
  sharesRise,
  irreversibleHasBackup,
  knownBackups,
  contractAfterSoak,
  expandBeforeRoll,
  releaseStandsStill,
  guardSees,
  proofPossible,
  shellOneLine,
  deadlineFitsDrain,
];
const ENVIRONMENT_RULES: readonly EnvironmentRule[] = [
  classFits,
  regionsProbed,
  componentRegions,
  oneObject,
  switchFits,
  besideDiffers,
  countersAtEntry,
  noSecrets,
  stateIsKept,
  storesKnown,
  trialsInDemo,
  referenceTables,
  sourcesFit,
  sourcesApart,
  classRulesHold,
  rulesKnown,
  httpProbesHold,
  placeholdersKnown,
  probersPlaced,
  ownReleasesStandStill,
  ownReleasesRunSomewhere,
];
const RELEASES_RULES: readonly ReleasesRule[] = [releasesStandStill, releasesRunSomewhere];
const TOGETHER_RULES: readonly TogetherRule[] = [
  componentsPlaced,
  driverCan,
  replacedInPlace,
  sharesFit,
  waveRegions,
  batchFits,
  floorHolds,
  releaseKnown,
  releasesAgree,
  contractEverywhere,
  migrationsExist,
  jobsPlaced,
  stateApart,
  operationsSeen,
  proofProbed,
  operationsProbed,
];

/** Every breach of the rules that need nothing but the plan. */
export const checkPlan = (plan: Located<Plan>): readonly Problem[] => check(plan, PLAN_RULES);
export const checkEnvironment = (environment: Located<Environment>): readonly Problem[] =>
  check(environment, ENVIRONMENT_RULES);
export const checkReleases = (releases: Located<Releases>): readonly Problem[] => check(releases, RELEASES_RULES);

/** Every breach of every rule, of each file by itself and of all together, in the order of files and lines. */
export const checkTogether = (given: Together): readonly Problem[] =>
  inOrder([
    ...checkPlan(given.plan),
    ...(given.environment === undefined ? [] : checkEnvironment(given.environment)),
    ...(given.releases === undefined ? [] : checkReleases(given.releases)),
    ...TOGETHER_RULES.flatMap((rule) => rule(given)),
  ]);

const check = <T>(
  { value, source }: Located<T>,
  rules: readonly ((value: T) => readonly Complaint[])[],
): readonly Problem[] => inOrder(rules.flatMap((rule) => rule(value)).map((complaint) => problemAt(source, complaint)));
