import { UpgradeError } from "../errors/upgrade-error.ts";
import { parseDuration } from "../plan/duration.ts";

/** A time that an option states, ms. Throws `USAGE`. */
export function durationOption(option: string, text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === "read") return parsed.value;
  throw new UpgradeError("USAGE", `${option} ${text}: ${parsed.why}`, {
    hint: "write a time such as 30s, 10m or 1h",
  });
}
