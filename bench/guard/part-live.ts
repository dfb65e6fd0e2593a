import { told } from "./delays.ts";
import { liveRun, type LiveCase, type LiveRun } from "./live-world.ts";
import { luckFor, P0, RATES, type Part, type Size } from "./part.ts";

const DEADLINE_SEC = 0.25;
const LOOKED_SEC = 20;
const BLIP_SEC = 60;
/** From the suspicion until users are led away, as the demo's balancer takes it. */
const WITHDRAWN_MS = 150;

/** 500 operations a second over six gateways, of which the new release has some. */
const venue = (fresh: number): LiveCase => ({
  perSec: 500,
  instances: 6,
  fresh,
  newFails: P0,
  oldFails: P0,
  burst: 1,
});

/** The judge with the thread's own paces, as a run meets it: counters read instance after instance, probes, ticks; the step at any moment of a round. */
export const live = (size: Size): Part => {
  const runs = Math.ceil(size.runs / 40);
  const rows = [3, 1].flatMap((fresh) =>
    RATES.map((rate) => {
      const how = { ...venue(fresh), newFails: rate };
      return {
        fresh,
        rate,
        stays: measure(how, { runs, seed: size.seed, name: `live ${fresh} ${rate}` }),
        leaves: measure(
          { ...how, withdrawnAfterMs: WITHDRAWN_MS },
          { runs, seed: size.seed, name: `live withdrawn ${fresh} ${rate}` },
        ),
      };
    }),
  );
  const blips = [1, 5, 15].map((burst) => blip(burst, Math.ceil(size.runs / 20), size.seed));
  const total = rows.find(({ fresh, rate }) => fresh === 3 && rate === 1);
  const [suspect, failing] = [total?.stays.suspect.median ?? NaN, total?.stays.failing.median ?? NaN];
  const worst = Math.max(...blips.map(({ share }) => share));
  return {
    figures: [
      {
        figure:
          "total failure of the new release, 500/s, half the traffic, as the guard really looks: withdrawn (at the step, 250 ms deadline)",
        measured: `${told(suspect + DEADLINE_SEC)} s`,
        goal: "under 0.5 s",
        ok: suspect + DEADLINE_SEC < 0.5,
      },
      {
        figure: "the same: undo decided while users stay on the new release",
        measured: `${told(failing + DEADLINE_SEC)} s; with users led away ${WITHDRAWN_MS} ms after the suspicion ${told((total?.leaves.failing.median ?? NaN) + DEADLINE_SEC)} s`,
        goal: "under 1 s",
        ok: failing + DEADLINE_SEC < 1,
      },
      {
        figure: "both releases at 5 % for 60 s, as the guard really looks: undone by mistake",
        measured: `${(worst * 100).toFixed(2)} % of runs at worst (${blips.map(({ burst, alarms, runs: all }) => `${burst === 1 ? "independent" : `bursts of ${burst}`}: ${alarms} of ${all}`).join("; ")})`,
        goal: "at most 0.2 %",
        ok: worst <= 0.002,
      },
    ],
    tables: [
      {
        title:
          "The guard as it really looks, 500/s over six gateways, at the step: seconds from the step, median / p95, without the deadline",
        head: ["new has", "fails", "withdrawn", "undo decided, users stay", "undo decided, users led away", "runs"],
        rows: rows.map(({ fresh, rate, stays, leaves }) => [
          `${fresh} of 6`,
          `${rate * 100} %`,
          toldTimes(stays.suspect),
          toldTimes(stays.failing),
          toldTimes(leaves.failing),
          String(runs),
        ]),
      },
    ],
    raw: { rows, blips },
  };
};

type Times = { readonly median: number; readonly p95: number; readonly never: number };
type Runs = { readonly runs: number; readonly seed: number; readonly name: string };

const measure = (how: LiveCase, { runs, seed, name }: Runs): { readonly suspect: Times; readonly failing: Times } => {
  const luck = luckFor(seed, name);
  const all: readonly LiveRun[] = Array.from({ length: runs }, () => liveRun(luck, how, LOOKED_SEC * 1_000));
  // Whoever is called failing at once needs no suspicion before it.
  return {
    suspect: timesOf(all.map(({ suspectMs, failingMs }) => suspectMs ?? failingMs ?? Infinity)),
    failing: timesOf(all.map(({ failingMs }) => failingMs ?? Infinity)),
  };
};

const timesOf = (ms: readonly number[]): Times => {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number): number => (sorted[Math.ceil(sorted.length * share) - 1] ?? NaN) / 1_000;
  return { median: at(0.5), p95: at(0.95), never: ms.filter((one) => one === Infinity).length };
};

const toldTimes = ({ median, p95, never }: Times): string =>
  `${told(median)} / ${told(p95)}${never === 0 ? "" : ` (not within ${LOOKED_SEC} s: ${never})`}`;

/** Nobody acts meanwhile: users stay where they are, which is the harder case. */
const blip = (burst: number, runs: number, seed: number) => {
  const luck = luckFor(seed, `live blip ${burst}`);
  const how = { ...venue(3), newFails: 0.05, oldFails: 0.05, burst };
  let alarms = 0;
  for (let run = 0; run < runs; run++) if (liveRun(luck, how, BLIP_SEC * 1_000).failingMs !== undefined) alarms++;
  return { burst, alarms, runs, share: alarms / runs };
};
