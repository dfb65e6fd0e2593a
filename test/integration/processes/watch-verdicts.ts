import { guardThread } from "../../../src/adapters/guard-thread/guard-thread.ts";
import type { WatchConfig, WatchedInstance } from "../../../src/ports/watcher.ts";

// Watches the venue of WATCH as after a change of metadata, when an alarm means failing. Prints each verdict as a line, and "watching" once all is well.
const { config, instances } = JSON.parse(process.env["WATCH"] ?? "{}") as {
  readonly config: WatchConfig;
  readonly instances: readonly WatchedInstance[];
};
const need = { excludePct: 10, confidencePct: 99 };
const forever = new AbortController().signal;
const watcher = guardThread();
watcher.instances(instances);
await watcher.start(config, {
  verdict: ({ state, reason }) => process.stdout.write(`${state} ${reason}\n`),
  pulse: () => undefined,
});
await watcher.evidence(need, forever);
watcher.mark({ id: "m", cause: { kind: "metadata", component: "orders-db" } });
await watcher.evidence(need, forever);
process.stdout.write("watching\n");
process.stdin.on("end", () => void watcher.stop()).resume();
