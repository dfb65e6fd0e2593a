/**
 * What an outcome says about the service.
 * `service`: the venue failed. `ambiguous`: executed or not is unknown. `maintenance`: refused for certain because of a planned phase.
 * `rate`, `auth`: the sender is limited or not let in. `business`: refused on its merits, so the service is healthy. `planned`: an announced event.
 */
export const OUTCOME_CLASSES = [
  "ok",
  "service",
  "ambiguous",
  "maintenance",
  "rate",
  "auth",
  "business",
  "planned",
] as const;
export type OutcomeClass = (typeof OUTCOME_CLASSES)[number];

/** Name of the class rules that ship: those of whoever names none. */
export const SHIPPED_RULES = "okx-v5";
