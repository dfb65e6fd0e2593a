import type { EngineLink } from "./engine-link.ts";
import type { Operations } from "./operations.ts";
import type { Statements } from "./statements.ts";

/** What differs between releases of the gateway. Everything else is common code. */
export type Release = {
  readonly version: string;
  /** `instruments` yields the price bands of the release as `lower_pct` and `upper_pct`. */
  readonly statements: Statements;
  /** Puts the release's own conduct around the common operations. */
  readonly refine?: (operations: Operations, engine: EngineLink) => Operations;
};
