import { USER_UIDS } from "../src/demo/venue/accounts.ts";
import type { Bench, Stage } from "./bench.ts";
import { pause } from "./pause.ts";
import { decimal, median, sum } from "./spread.ts";
import { tradingVenue, type TradingVenue } from "./trading-venue.ts";
import { expandPlan, upgradeVenue, writtenPlan } from "./venue-upgrade.ts";

/** One window without an upgrade and one with: the same venue, the same users, one right after the other. */
type Pair = {
  readonly pair: number;
  readonly to: string;
  readonly before: Window;
  readonly during: Window;
  readonly lost: number;
  /** Of the whole pair, warming up and stopping included. */
  readonly failedByCode: Readonly<Record<string, number>>;
};
type Window = {
  readonly seconds: number;
  readonly operations: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
};

const MOST_RATIO = 1.5;
const MOST_MORE_MS = 10;
const WARM_MS = 5_000;
const BEFORE_MS = 20_000;
const BEFORE_QUICK_MS = 8_000;

/** p99 of users' operations while gateways are replaced, against just before. The release goes to and fro. */
export const latency: Bench = {
  name: "latency",
  about: "p99 of users' operations during an upgrade against before it, in pairs on one venue",
  run: async (stage) => {
    const { options, publish, say } = stage;
    const count = options.pairs ?? (options.isQuick ? 1 : 10);
    await using venue = await tradingVenue(String(options.firstSeed), stage.dir);
    await upgradeVenue(venue, await expandPlan(venue), stage);
    const pairs: Pair[] = [];
    for (let pair = 1; pair <= count; pair += 1) {
      const one = await measure(pair, venue, stage);
      pairs.push(one);
      say(
        `pair ${pair} of ${count}, to ${one.to}: p99 ${one.before.p99} ms before, ${one.during.p99} ms during (${one.during.seconds} s)`,
      );
    }
    const ratio = median(pairs.map(({ before, during }) => during.p99 / before.p99)) ?? Number.NaN;
    const more = median(pairs.map(({ before, during }) => during.p99 - before.p99)) ?? Number.NaN;
    const failed = sum(pairs.map(({ during }) => during.failed));
    await publish({
      name: "latency",
      settings: { pairs: count, ratePerSec: options.ratePerSec, beforeMs: beforeMs(stage) },
      figures: [
        {
          figure: `p99 latency of users' operations during an upgrade against before, median of ${count} pairs`,
          measured: `${decimal(ratio, 2)} ×, ${more < 0 ? "" : "+"}${decimal(more, 1)} ms (${decimal(median(pairs.map(({ during }) => during.p99)), 1)} ms against ${decimal(median(pairs.map(({ before }) => before.p99)), 1)} ms)`,
          goal: `at most ${MOST_RATIO} ×, or +${MOST_MORE_MS} ms`,
          ok: ratio <= MOST_RATIO || more <= MOST_MORE_MS,
        },
        {
          figure: "user operations failed during these upgrades beyond the seeded ones",
          measured: `${failed} of ${sum(pairs.map(({ during }) => during.operations))}`,
          goal: "0",
          ok: failed === 0,
        },
      ],
      tables: [
        {
          title: "Pair by pair, ms",
          head: [
            "pair",
            "to",
            "p50 before",
            "p50 during",
            "p99 before",
            "p99 during",
            "ratio",
            "upgrade, s",
            "failed",
            "lost",
          ],
          rows: pairs.map(({ pair, to, before, during, lost }) => [
            String(pair),
            to,
            ...[before.p50, during.p50, before.p99, during.p99].map((value) => decimal(value, 1)),
            decimal(during.p99 / before.p99, 2),
            decimal(during.seconds, 0),
            String(during.failed),
            String(lost),
          ]),
        },
      ],
      raw: { pairs },
    });
  },
};

const beforeMs = ({ options }: Stage): number => (options.isQuick ? BEFORE_QUICK_MS : BEFORE_MS);

async function measure(pair: number, venue: TradingVenue, stage: Stage): Promise<Pair> {
  const to = pair % 2 === 1 ? "gateway@2.0" : "gateway@1.0";
  const plan = await rollPlan(venue, to);
  const users = await venue.users({
    seed: `${stage.options.firstSeed}-${pair}`,
    uids: USER_UIDS,
    ratePerSec: stage.options.ratePerSec,
    settleMs: 60_000,
    maxSeconds: 900,
  });
  try {
    users.mark("warm");
    await pause(WARM_MS, stage.signal);
    users.mark("before");
    await pause(beforeMs(stage), stage.signal);
    users.mark("during");
    await upgradeVenue(venue, plan, stage);
    users.mark("after");
  } catch (error) {
    await users.stop().catch(() => {});
    throw error;
  }
  const { windows, lost, failedByCode } = await users.stop();
  const window = (name: string): Window => {
    const found = windows.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the users have no window ${name}`);
    return {
      seconds: Math.round((found.to - found.from) / 100) / 10,
      operations: found.ops,
      failed: found.failed,
      p50: found.latency.p50,
      p99: found.latency.p99,
    };
  };
  return { pair, to, before: window("before"), during: window("during"), lost, failedByCode };
}

/** The rolling part of plans/good-upgrade.yaml. */
function rollPlan(venue: TradingVenue, release: string): Promise<string> {
  return writtenPlan(
    venue,
    `bench-roll-${release.replaceAll(/[^a-z0-9]/g, "-")}`,
    `components:
  gateway: { release: ${release}, floor: 100% }
steps:
  - roll: gateway
    dark: { exclude: 5%, confidence: 99% }
    drain: { notice: 1s, deadline: 5s }
    waves:
      - { regions: [tokyo], batch: 1, surge: 1, soak: 3s }
      - { regions: rest, batch: 2, surge: 2, soak: 3s }
`,
  );
}
