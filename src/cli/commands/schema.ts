import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { jsonSchemas } from "../../plan/json-schema.ts";
import type { CliIo, ExitStatus } from "../io.ts";

export function schema(io: CliIo, [which = ""]: readonly string[]): Promise<ExitStatus> {
  const found = new Map<string, unknown>(Object.entries(jsonSchemas())).get(which);
  if (found === undefined)
    throw new UpgradeError("USAGE", `there is no schema of ${which}`, { hint: "choose plan, environment or releases" });
  io.print(JSON.stringify(found, undefined, 2));
  return Promise.resolve(EXIT.done);
}
