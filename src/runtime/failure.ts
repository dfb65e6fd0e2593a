import { Bug } from "../errors/bug.ts";
import { CATALOG, type ErrorCode } from "../errors/catalog.ts";
import { UpgradeError } from "../errors/upgrade-error.ts";
import type { Failure } from "../engine/fact.ts";

/** What an error means for the engine. A `Bug` is no fact: it is thrown on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Bug) throw error;
  if (error instanceof UpgradeError)
    return { code: error.code, message: error.message, hint: error.hint, nature: natureOf(error.code) };
  throw new Bug(`a port rejected with something else than an UpgradeError: ${String(error)}`, error);
}

function natureOf(code: ErrorCode): Failure["nature"] {
  if (code === "FENCED") return "fenced";
  // Somebody else holds a component where this run could not take it.
  if (code === "FOREIGN_CHANGE" || code === "HISTORY_REWRITTEN" || code === "LEASE_HELD") return "foreign";
  if (code.endsWith("_UNREACHABLE") || code === "EFFECT_TIMED_OUT") return "unreachable";
  return CATALOG[code].retry ? "again" : "final";
}
