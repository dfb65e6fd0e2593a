import { startCommand } from "../../../src/adapters/guard-thread/sources/command.ts";
import { OKX_V5 } from "../../../src/guard/rules-okx.ts";

// A midflight that runs a program and is killed: arguments are the program's folder and its text.
const [, , cwd = ".", text = ""] = process.argv;

startCommand({
  kind: "command",
  id: "sources[0]",
  argv: ["node", "-e", text],
  cwd,
  env: {},
  regions: ["tokyo"],
  operations: ["order"],
  rules: OKX_V5,
  countsProbes: false,
  silentAfterMs: 5_000,
  now: () => Date.now(),
  lagSince: () => 0,
  onBin: () => undefined,
  onReach: () => undefined,
  onSight: () => undefined,
  onUnlisted: () => undefined,
});
