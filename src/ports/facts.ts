/** What a driver knows of its part of an environment. It looks, and changes nothing: production is asked too. */
export interface Facts {
  /**
   * Everything at once, each id once. What is there on one side only counts as a difference, so that what is not there is told by
   * leaving it out. Rejects `METADATA_UNREACHABLE`, `WORKLOAD_UNREACHABLE`, `COMMAND_FAILED`, `REFERENCE_UNREADABLE`.
   */
  collect(signal: AbortSignal): Promise<readonly EnvironmentFact[]>;
}

/**
 * One thing that is so in an environment. `id` names it in every environment alike: `gateway/tokyo/releases`,
 * `orders-db/setting/lock_timeout`, `orders-db/schema/col/public.instruments.tick_sz`.
 */
export type EnvironmentFact = {
  readonly id: string;
  /** Absent for what belongs to the environment itself. */
  readonly component?: string;
  readonly group: FactGroup;
  readonly value: FactValue;
  /** How much a difference matters. */
  readonly severity: Severity;
  readonly rule: FactRule;
};

export type FactGroup =
  | "identity"
  | "topology"
  | "releases"
  | "instances"
  | "configuration"
  | "limits"
  | "server"
  | "settings"
  | "extensions"
  | "rights"
  | "migrations"
  | "schema"
  | "reference"
  | "sizes"
  | "clock";

/** A text, or texts by name; of a row those columns that hold something. */
export type FactValue = string | Readonly<Record<string, string>>;

/** The value of a reference table that an environment names and does not have. */
export const NOT_THERE = "not there";

/** `block`: what is rehearsed here proves nothing about there. `warn`: it may behave otherwise. `info`: good to know. */
export type Severity = "block" | "warn" | "info";

/** `same`: should be equal. `apart`: must not be one and the same thing. `scale`: counts, of the same order of magnitude. */
export type FactRule = "same" | "apart" | "scale";
