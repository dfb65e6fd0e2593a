import { createInterface } from "node:readline";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { startTraffic } from "./start.ts";
import type { Traffic } from "./start.ts";
import type { TrafficOptions } from "./config.ts";

// Configured by TRAFFIC (JSON), reports as NDJSON on stdout, obeys NDJSON on stdin. Ends when stdin closes: its parent is gone.
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const giveUp = (error: unknown): never => {
  const { code, hint } = error instanceof UpgradeError ? error : { code: undefined, hint: undefined };
  print({ kind: "traffic-error", code, message: error instanceof Error ? error.message : String(error), hint });
  process.exit(1);
};

const start = (): Promise<Traffic> => startTraffic(JSON.parse(process.env["TRAFFIC"] ?? "{}") as TrafficOptions, { onReport: print });
const traffic = await Promise.resolve().then(start).catch(giveUp);
const stop = (): void => void traffic.stop();
print({ kind: "traffic-started", at: Date.now() });
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
// The parent may be gone before the last line is read.
process.stdout.on("error", () => process.exit(1));
const commands = createInterface({ input: process.stdin });
commands.on("close", stop);
commands.on("line", (line) => {
  const command = commandOf(line);
  if (command.do === "stop") stop();
  else if (command.do === "mark") traffic.mark(command.name);
  else print({ kind: "traffic-refused", line });
});
print(await traffic.ended.catch(giveUp));
process.exit(0);

type Command = { readonly do: "stop" } | { readonly do: "mark"; readonly name: string } | { readonly do: "unknown" };

function commandOf(line: string): Command {
  try {
    const value = JSON.parse(line) as { readonly do?: unknown; readonly name?: unknown };
    if (value.do === "stop") return { do: "stop" };
    if (value.do === "mark" && typeof value.name === "string") return { do: "mark", name: value.name };
  } catch {
    // told below
  }
  return { do: "unknown" };
}
