import { CATALOG, EXIT, type ErrorCode } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo, ExitStatus } from "../io.ts";

export function explain(io: CliIo, [code]: readonly string[]): Promise<ExitStatus> {
  if (code === undefined) {
    for (const [name, entry] of Object.entries(CATALOG)) io.print(`${name.padEnd(28)} exit ${entry.exit}`);
    return Promise.resolve(EXIT.done);
  }
  const entry = CATALOG[code.toUpperCase() as ErrorCode];
  if (entry === undefined)
    throw new UpgradeError("USAGE", `there is no code ${code}`, { hint: "`midflight explain` lists them all" });
  io.print(
    `${code.toUpperCase()}\n\n${entry.explain}\n\nExit status ${entry.exit}. ${entry.retry ? "The same call may succeed later by itself." : "It does not pass by itself."}`,
  );
  return Promise.resolve(EXIT.done);
}
