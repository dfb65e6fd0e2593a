import { guardThread } from "../../../src/adapters/guard-thread/guard-thread.ts";
import type { WatchConfig } from "../../../src/ports/watcher.ts";

// Watches the venue of the configuration in WATCH, says so, and goes on until somebody kills it.
const watcher = guardThread();
await watcher.start(JSON.parse(process.env["WATCH"] ?? "{}") as WatchConfig, {
  verdict: () => undefined,
  pulse: () => undefined,
});
process.stdout.write("watching\n");
