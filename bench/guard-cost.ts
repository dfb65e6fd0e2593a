import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath, pathToFileURL } from "node:url";
import { guardThread } from "../src/adapters/guard-thread/guard-thread.ts";
import type { WatchConfig, WatchedInstance } from "../src/ports/watcher.ts";

/** What the guard costs: two regions, 30 probe operations a second in each, twelve instances read ten times a second. The venue is another process. */
export const guardCost = async (
  seconds: number,
): Promise<{ readonly seconds: number; readonly cpuPct: number; readonly rssMb: number; readonly pulses: number }> => {
  const venue = spawn(
    process.execPath,
    [fileURLToPath(new URL("../test/integration/processes/okx-venue.ts", import.meta.url))],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const watcher = guardThread();
  try {
    const [line] = (await once(venue.stdout, "data")) as [Buffer];
    const { config, instances } = JSON.parse(line.toString()) as {
      readonly config: WatchConfig;
      readonly instances: readonly WatchedInstance[];
    };
    let pulses = 0;
    await watcher.start(config, { verdict: () => undefined, pulse: () => void pulses++ });
    watcher.instances(instances);
    // Half of each region is new, so that probes are pinned.
    watcher.instances(
      instances.map((instance, index) => (index % 2 === 0 ? { ...instance, side: "new" as const } : instance)),
    );
    await pause(3_000);
    const [cpu, at] = [process.cpuUsage(), performance.now()];
    pulses = 0;
    await pause(seconds * 1_000);
    const used = process.cpuUsage(cpu);
    const ms = performance.now() - at;
    return {
      seconds,
      cpuPct: Math.round(((used.user + used.system) / 10 / ms) * 10) / 10,
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
      pulses,
    };
  } finally {
    await watcher.stop();
    venue.kill();
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.stdout.write(`${JSON.stringify(await guardCost(Number(process.argv[2] ?? 15)))}\n`);
