import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Count, CountBin } from "../../src/guard/count.ts";
import { foldIntoStream, freshOutcomeStream } from "../../src/guard/detector/outcome-stream.ts";
import { outcomeBets } from "../../src/guard/detector/outcomes.ts";
import { judge, settingsOf, startJudging, type JudgeState } from "../../src/guard/judge.ts";
import { binomial, type Luck } from "./luck.ts";
import { luckFor, P0, type Part, type Size } from "./part.ts";

const OPERATIONS = ["order", "amend", "cancel"] as const;
const REGIONS = ["tokyo", "frankfurt"] as const;
const DAY_SEC = 86_400;

/** What judging costs. `days`: how long the simulated week is. */
export const cost = ({ seed }: Size, days: number): Part => {
  const single = outcomesPerSec(luckFor(seed, "cost outcomes"));
  const judged = judging(luckFor(seed, "cost judging"));
  const memory = memoryOver(luckFor(seed, "cost memory"), days);
  const grewMb = (memory.at(-1)?.heapMb ?? NaN) - (memory[0]?.heapMb ?? NaN);
  return {
    figures: [
      {
        figure: "outcomes a second on one core, per-outcome form",
        measured: `${thousands(single)} a second`,
        goal: "at least 200,000",
        ok: single >= 200_000,
      },
      {
        figure: "outcomes a second on one core, through the whole judge (in bins: 3,600 outcomes in 120 counts)",
        measured: `${thousands(judged.outcomesPerSec)} a second`,
        goal: "at least 200,000",
        ok: judged.outcomesPerSec >= 200_000,
      },
      {
        figure: "from the last outcome of a bin to the verdict, p99",
        measured: `${judged.p99Ms.toFixed(3)} ms (median ${judged.medianMs.toFixed(3)} ms; CPU time of the thread, p99 ${judged.cpuP99Ms.toFixed(3)} ms)`,
        goal: "under 1 ms",
        ok: judged.p99Ms < 1,
      },
      {
        figure: `memory of the judge over ${days} simulated days`,
        measured: `${grewMb >= 0 ? "+" : ""}${grewMb.toFixed(2)} MB after the first seventh`,
        goal: "flat: under 1 MB",
        ok: grewMb < 1,
      },
    ],
    tables: [],
    raw: { single, judged, memory },
  };
};

const thousands = (value: number): string => `${Math.round(value / 1000).toLocaleString("en")},000`;

const outcomesPerSec = (luck: Luck): number => {
  const rules = { bets: outcomeBets(P0), restMs: 0 };
  let stream = freshOutcomeStream(rules.bets);
  const failed = Array.from({ length: 1 << 16 }, () => luck() < P0);
  const fold = (count: number): void => {
    for (let index = 0; index < count; index++)
      stream = foldIntoStream(stream, { at: index, isFailed: failed[index & 0xffff] === true, mass: 0.002 }, rules);
  };
  fold(200_000);
  const since = performance.now();
  fold(2_000_000);
  return 2_000_000 / ((performance.now() - since) / 1000);
};

const judging = (luck: Luck) => {
  let state = begin();
  const [times, cpuTimes]: [number[], number[]] = [[], []];
  let [outcomes, busyMs] = [0, 0];
  for (let index = 1; index <= 12_000; index++) {
    const bins = SOURCES.map((source) =>
      binAt(luck, { at: index * 100, ms: 100, source, perCount: source === "live" ? 30 : 1 }),
    );
    for (const bin of bins) {
      const [since, cpuSince] = [performance.now(), process.threadCpuUsage()];
      state = judge(state, bin).state;
      const { user, system } = process.threadCpuUsage(cpuSince);
      const took = performance.now() - since;
      if (index <= 2_000) continue;
      times.push(took);
      cpuTimes.push((user + system) / 1000);
      busyMs += took;
      for (const { issued } of bin.counts) outcomes += issued;
    }
  }
  return {
    medianMs: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    maxMs: quantile(times, 1),
    // Without the time in which the machine did something else.
    cpuP99Ms: quantile(cpuTimes, 0.99),
    bins: times.length,
    outcomesPerSec: outcomes / (busyMs / 1000),
  };
};

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? NaN;

const SOURCES = ["probes", "live"] as const;

/** Heap after a collection, at the end of each seventh. */
const memoryOver = (luck: Luck, days: number): readonly { readonly day: number; readonly heapMb: number }[] => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let state = begin();
  const told: { readonly day: number; readonly heapMb: number }[] = [];
  for (let second = 1; second <= days * DAY_SEC; second++) {
    for (const source of SOURCES)
      state = judge(state, binAt(luck, { at: second * 1_000, ms: 1_000, source, perCount: 3, cohorts: 2 })).state;
    if (second % Math.floor((days * DAY_SEC) / 7) !== 0) continue;
    collect();
    told.push({ day: second / DAY_SEC, heapMb: process.memoryUsage().heapUsed / 1e6 });
  }
  return told;
};

const begin = (): JudgeState => {
  const guard = {
    operations: OPERATIONS,
    falseAlarmEveryMs: 30 * DAY_SEC * 1_000,
    baselineAtMostPct: P0 * 100,
    slowerThanMs: 250,
    deadlineMs: 250,
    probesPerSec: 30,
    suspectForMs: 10_000,
    holdForMs: 600_000,
  };
  const settings = settingsOf(
    guard,
    REGIONS.map((region) => ({ region, isProbed: true })),
    true,
  );
  const instances = REGIONS.flatMap((region) =>
    (["old", "new"] as const).map((side) => ({
      id: `${region}-${side}`,
      region,
      release: `gateway@${side}`,
      side,
      inTraffic: true,
    })),
  );
  const started = judge(startJudging(settings, 0), { kind: "instances", at: 0, instances }).state;
  return judge(started, { kind: "mark", at: 0, cause: { kind: "instances", component: "gateway", regions: REGIONS } })
    .state;
};

type BinOf = {
  readonly at: number;
  readonly ms: number;
  readonly source: Count["source"];
  readonly perCount: number;
  readonly cohorts?: number;
};

const binAt = (luck: Luck, { at, ms, source, perCount, cohorts = 10 }: BinOf): CountBin => ({
  kind: "bin",
  at,
  ms,
  counts: REGIONS.flatMap((region) =>
    OPERATIONS.flatMap((operation) =>
      (["old", "new"] as const).flatMap((side) =>
        Array.from({ length: cohorts }, (_, cohort) => ({
          operation,
          region,
          release: `gateway@${side}`,
          side,
          cohort: `shard-${cohort}`,
          source,
          issued: perCount,
          failed: binomial(luck, perCount, P0),
        })),
      ),
    ),
  ),
});
