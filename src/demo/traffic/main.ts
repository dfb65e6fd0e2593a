import { messageOf } from "../../errors/message-of.ts";
import { createInterface } from "node:readline";
import { fieldsIn } from "../okx-client/fields.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { startTraffic } from "./start.ts";

// Configured by TRAFFIC (JSON), reports as NDJSON on stdout, obeys NDJSON on stdin. Ends when stdin closes: its parent is gone.
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const giveUp = (error: unknown): never => {
  const { code, hint } = error instanceof UpgradeError ? error : { code: undefined, hint: undefined };
  print({ kind: "traffic-error", code, message: messageOf(error), hint });
  process.exit(1);
};

const traffic = await startTraffic(fieldsIn(process.env["TRAFFIC"] ?? "") ?? {}, { onReport: print }).catch(giveUp);
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
  const { do: what, name } = fieldsIn(line) ?? {};
  if (what === "stop") return { do: "stop" };
  return what === "mark" && typeof name === "string" ? { do: "mark", name } : { do: "unknown" };
}
