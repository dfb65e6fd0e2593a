import type { Problem } from "../errors/problem.ts";
import { knownNames, noCycle } from "./rules/names.ts";
import { componentsArePlaced, driverCan, floorHolds, migrationsExist, regionsAreKnown, stateIsApart } from "./rules/placement.ts";
import { releaseIsKnown, releaseStandsStill } from "./rules/releases.ts";
import { contractLast, guardIsSharp, irreversibleHasBackup, restLast, surgeFits } from "./rules/steps.ts";
import type { Rule, Together } from "./rules/together.ts";

const RULES: readonly Rule[] = [
  knownNames,
  noCycle,
  irreversibleHasBackup,
  contractLast,
  surgeFits,
  restLast,
  guardIsSharp,
  releaseStandsStill,
  releaseIsKnown,
  componentsArePlaced,
  driverCan,
  regionsAreKnown,
  floorHolds,
  stateIsApart,
  migrationsExist,
];

/** Every breach of every rule, in the order of files and lines. */
export const checkTogether = (given: Together): readonly Problem[] =>
  RULES.flatMap((rule) => rule(given)).toSorted((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1));
