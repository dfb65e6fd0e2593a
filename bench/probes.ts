import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { guardThread } from "../src/adapters/guard-thread/guard-thread.ts";
import { plainGuard } from "../src/plan/to-plan.ts";
import type { ProbeSchedule, WatchConfig, WatchPulse } from "../src/ports/watcher.ts";
import type { Bench, Stage } from "./bench.ts";

const PER_SEC = 2_000;
const ACCOUNTS = 60;
const WARM_MS = 5_000;
/** The guard tells the lag of the last 10 s. */
const WINDOW_SEC = 10;
const MOST_LAG_MS = 5;

/** How many probe operations one thread does, and how well it keeps their schedule. The venue is another process. */
export const probes: Bench = {
  name: "probes",
  about: "2,000 probe operations a second from one thread, and how late they are sent",
  async run(stage) {
    const windows = Math.max(1, Math.round((stage.options.seconds ?? (stage.options.isQuick ? 10 : 30)) / WINDOW_SEC));
    const measured = await measure(windows, stage);
    const { perSec, failed, cpuPct, schedules } = measured;
    const worst = (of: (schedule: ProbeSchedule) => number): number => Math.max(...schedules.map(of));
    const [lagP50Ms, lagP99Ms] = [worst((one) => one.lagP50Ms), worst((one) => one.lagP99Ms)];
    const [slots, missed] = [sum(schedules, (one) => one.slots), sum(schedules, (one) => one.missed)];
    await stage.publish({
      name: "probes",
      settings: { perSec: PER_SEC, accounts: ACCOUNTS, seconds: windows * WINDOW_SEC },
      figures: [
        {
          figure: "probe operations a second from one thread",
          measured: perSec.toFixed(0),
          goal: `${PER_SEC}, less 1 % at most`,
          ok: perSec >= PER_SEC * 0.99,
        },
        {
          figure: "lag of their schedule, p99 of the worst 10 s",
          measured: `${lagP99Ms.toFixed(1)} ms`,
          goal: `below ${MOST_LAG_MS} ms`,
          ok: lagP99Ms < MOST_LAG_MS,
        },
      ],
      tables: [
        {
          title: "probes",
          head: ["", "measured"],
          rows: [
            ["lag of the schedule, p50 of the worst 10 s", `${lagP50Ms.toFixed(1)} ms`],
            ["slots in which nothing was sent, because the thread was held up", `${missed} of ${slots}`],
            ["operations that failed", String(failed)],
            ["CPU of the process that probes and judges", `${cpuPct.toFixed(0)} % of a core`],
          ],
        },
      ],
      raw: measured,
    });
  },
};

async function measure(windows: number, { say, signal }: Stage) {
  const venue = spawn(process.execPath, [fileURLToPath(new URL("probe-venue.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const watcher = guardThread();
  try {
    const [line] = (await once(venue.stdout, "data")) as [Buffer];
    const rest = `http://127.0.0.1:${line.toString().trim()}`;
    let pulse: WatchPulse | undefined;
    await watcher.start(configOf(rest), { verdict: () => undefined, pulse: (told) => void (pulse = told) });
    say(`${PER_SEC} operations a second with ${ACCOUNTS} accounts, ${windows} times ${WINDOW_SEC} s`);
    await pause(WARM_MS, undefined, { signal });
    const [before, cpu, at] = [await operationsAt(rest), process.cpuUsage(), performance.now()];
    const failedBefore = failedIn(pulse);
    const schedules: ProbeSchedule[] = [];
    for (let window = 0; window < windows; window++) {
      await pause(WINDOW_SEC * 1_000, undefined, { signal });
      if (pulse?.schedule !== undefined) schedules.push(pulse.schedule);
    }
    const ms = performance.now() - at;
    const used = process.cpuUsage(cpu);
    const operations = (await operationsAt(rest)) - before;
    return {
      operations,
      perSec: (operations * 1_000) / ms,
      failed: failedIn(pulse) - failedBefore,
      cpuPct: (used.user + used.system) / 10 / ms,
      schedules,
    };
  } finally {
    await watcher.stop();
    venue.stdin.end();
  }
}

const configOf = (rest: string): WatchConfig => ({
  guard: { ...plainGuard(), probesPerSec: PER_SEC },
  orderPrefix: "mfbench",
  regions: [
    {
      region: "tokyo",
      accounts: Array.from({ length: ACCOUNTS }, (_, index) => ({
        apiKey: `key-${index}`,
        secret: `secret-${index}`,
        passphrase: "passphrase",
        cohort: `shard-${index % 10}`,
      })),
      probe: { kind: "okx", rest, accounts: "", instrument: "PROBE-USDT", simulatedTrading: false },
    },
  ],
});

const operationsAt = async (rest: string): Promise<number> => {
  const { data } = (await (await fetch(`${rest}/-/operations`)).json()) as {
    readonly data: readonly [{ readonly operations: number }];
  };
  return data[0].operations;
};

const failedIn = (pulse: WatchPulse | undefined): number => sum(pulse?.streams ?? [], ({ failed }) => failed);

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
