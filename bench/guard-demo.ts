import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Outcome } from "../src/demo/traffic/outcome.ts";
import { USER_UIDS } from "../src/demo/venue/accounts.ts";
import type { RunEvent } from "../src/events/event.ts";
import type { Bench, Figure, Stage } from "./bench.ts";
import { pause } from "./pause.ts";
import { decimal, largest, median, ms, sum } from "./spread.ts";
import { tradingVenue, type TradingVenue } from "./trading-venue.ts";
import { expandPlan, upgradeVenue, writtenPlan } from "./venue-upgrade.ts";

/** The bad release, at once in traffic: nothing of it is proved in the dark, so that users and pinned probes have to show it. */
const RELEASE = "gateway@2.1";
const SHARE = 1 / 3;
const WARM_MS = 5_000;
const AFTER_MS = 2_000;

const WITHDRAWN_MS = 1_000;
const WITHDRAWN_P95_MS = 2_000;
const CONFIRMED_MS = 10_000;

/** One venue, one upgrade to a release that fails a third of amends, with a sixth of one region's traffic. Times in ms. */
type Seed = { readonly seed: number } & (
  | {
      readonly ok: true;
      readonly outcome: string;
      readonly operations: number;
      readonly failedByFault: number;
      readonly lost: number;
      /** From the first user operation that the fault failed. Below 0: pinned probes were first. */
      readonly withdrawnMs: number | null;
      /** From the withdrawal until everything stood as before, and until users were shown to be served. */
      readonly undoneMs: number | null;
      readonly confirmedMs: number | null;
      readonly probes: Probes;
      readonly reason: string;
    }
  | { readonly ok: false; readonly why: string }
);

/** What probes did: in all, and at the new release. */
type Probes = {
  readonly issued: number;
  readonly atNew: number;
  readonly failedAtNew: number;
  readonly seconds: number;
};

export const guardDemo: Bench = {
  name: "guard-demo",
  about:
    "a third of amends of a new release fail with a sixth of a region's traffic: how soon it is withdrawn, and all undone",
  run: async (stage) => {
    const { options, publish, say } = stage;
    const count = options.seeds ?? (options.isQuick ? 1 : 20);
    const seeds: Seed[] = [];
    for (let seed = options.firstSeed; seed < options.firstSeed + count; seed += 1) {
      const one = await measure(seed, stage);
      seeds.push(one);
      say(`seed ${seed}: ${one.ok ? inShort(one) : `FAILED: ${one.why}`}`);
    }
    await publish({
      name: "guard-demo",
      settings: { firstSeed: options.firstSeed, seeds: count, ratePerSec: options.ratePerSec, share: SHARE },
      figures: figuresOf(seeds),
      tables: [
        {
          title: "Seed by seed",
          head: [
            "seed",
            "outcome",
            "operations",
            "by fault",
            "lost",
            "→ withdrawn",
            "→ undone",
            "→ confirmed",
            "probes at 2.1",
          ],
          rows: seeds.map((one) =>
            one.ok
              ? [
                  ...[one.seed, one.outcome, one.operations, one.failedByFault, one.lost].map(String),
                  ...[one.withdrawnMs, one.undoneMs, one.confirmedMs].map(ms),
                  `${one.probes.atNew} of ${one.probes.issued}`,
                ]
              : [String(one.seed), "FAILED", one.why],
          ),
        },
      ],
      raw: { seeds },
    });
  },
};

type Told = Extract<Seed, { readonly ok: true }>;

const inShort = ({ outcome, failedByFault, operations, withdrawnMs, confirmedMs, reason }: Told): string =>
  `${outcome}, ${failedByFault} of ${operations} failed by the fault, withdrawn after ${ms(withdrawnMs)}, confirmed after ${ms(confirmedMs)}: ${reason}`;

function figuresOf(seeds: readonly Seed[]): readonly Figure[] {
  const told = seeds.flatMap((one) => (one.ok ? [one] : []));
  const withdrawn = told.flatMap(({ withdrawnMs }) => (withdrawnMs === null ? [] : [withdrawnMs]));
  const confirmed = told.flatMap(({ confirmedMs }) => (confirmedMs === null ? [] : [confirmedMs]));
  const [middle, most] = [median(withdrawn), quantile(withdrawn, 0.95)];
  // Where pinned probes were first, no user's operation failed, and there is nothing to take the time from.
  const isWhole = confirmed.length === seeds.length;
  const perSec = sum(told.map(({ probes }) => probes.issued)) / sum(told.map(({ probes }) => probes.seconds));
  return [
    {
      figure: "a third of amends fail on one gateway of six: first failing operation → withdrawn",
      measured: `median ${ms(middle)}, p95 ${ms(most)} (${withdrawn.length} of ${seeds.length} seeds; in the others no user operation failed)`,
      goal: `median under ${WITHDRAWN_MS} ms, p95 under ${WITHDRAWN_P95_MS} ms`,
      ok: isWhole && (middle ?? 0) < WITHDRAWN_MS && (most ?? 0) < WITHDRAWN_P95_MS,
    },
    {
      figure: "the same: withdrawn → undo confirmed",
      measured: `median ${ms(median(confirmed))}, largest ${ms(largest(confirmed))}`,
      goal: `under ${CONFIRMED_MS} ms`,
      ok: isWhole && (largest(confirmed) ?? Infinity) < CONFIRMED_MS,
    },
    {
      figure: "what probes cost meanwhile",
      measured: `${decimal(perSec, 1)} operations a second in both regions; ${sum(told.map(({ probes }) => probes.atNew))} of ${sum(told.map(({ probes }) => probes.issued))} met the new release, ${sum(told.map(({ probes }) => probes.failedAtNew))} of them failed`,
      goal: "stated",
      ok: undefined,
    },
  ];
}

const quantile = (values: readonly number[], share: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];

async function measure(seed: number, stage: Stage): Promise<Seed> {
  const dir = join(stage.dir, `guard-demo-${seed}`);
  await mkdir(dir, { recursive: true });
  try {
    await using venue = await tradingVenue(String(seed), dir);
    const told = await upgradeBadly(seed, venue, { ...stage, dir });
    await rm(dir, { recursive: true, force: true });
    return told;
  } catch (error) {
    if (stage.signal.aborted) throw error;
    stage.keep(dir);
    return { seed, ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

async function upgradeBadly(seed: number, venue: TradingVenue, stage: Stage): Promise<Seed> {
  await upgradeVenue(venue, await expandPlan(venue), stage);
  const outcomesFile = join(stage.dir, "outcomes.ndjson");
  const users = await venue.users({
    seed: String(seed),
    uids: USER_UIDS,
    ratePerSec: stage.options.ratePerSec,
    settleMs: 60_000,
    maxSeconds: 300,
    outcomesFile,
  });
  let events: readonly RunEvent[];
  try {
    await pause(WARM_MS, stage.signal);
    events = await upgradeVenue(venue, await writtenPlan(venue, "bench-bad", BAD), { ...stage, wants: 1, env: FAULT });
    await pause(AFTER_MS, stage.signal);
  } catch (error) {
    await users.stop().catch(() => {});
    throw error;
  }
  const { operations, lost } = await users.stop();
  const failures = await failuresOf(outcomesFile);
  const timeOf = (...kinds: readonly RunEvent["kind"][]): number | undefined => {
    const event = events.find(({ kind }) => kinds.includes(kind));
    return event === undefined ? undefined : Date.parse(event.at);
  };
  const acted = timeOf("withdrawn", "tripped");
  const between = (from: number | undefined, to: number | undefined): number | null =>
    from === undefined || to === undefined ? null : Math.round(to - from);
  const ended = events.findLast((event) => event.kind === "ended");
  const tripped = events.find((event) => event.kind === "tripped");
  return {
    seed,
    ok: true,
    outcome: ended?.kind === "ended" ? ended.outcome : "none",
    operations,
    failedByFault: failures.length,
    lost,
    withdrawnMs: between(failures[0], acted),
    undoneMs: between(acted, timeOf("confirming")),
    confirmedMs: between(acted, timeOf("ended")),
    probes: probesOf(events),
    reason: tripped?.kind === "tripped" ? tripped.cause : "nothing was held against it",
  };
}

/** When user operations were sent that the new release failed, in order. */
async function failuresOf(file: string): Promise<readonly number[]> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return lines
    .map((line) => JSON.parse(line) as Outcome)
    .filter(({ class: kind, release }) => (kind === "failed" || kind === "ambiguous") && release === RELEASE)
    .map(({ at }) => at)
    .toSorted((a, b) => a - b);
}

function probesOf(events: readonly RunEvent[]): Probes {
  const pulses = events.filter((event) => event.kind === "pulse");
  const [first, last] = [pulses[0], pulses.at(-1)];
  const probed = (last?.streams ?? []).filter(({ source }) => source === "probes");
  const atNew = probed.filter(({ release }) => release === RELEASE);
  return {
    issued: sum(probed.map(({ issued }) => issued)),
    atNew: sum(atNew.map(({ issued }) => issued)),
    failedAtNew: sum(atNew.map(({ failed }) => failed)),
    seconds: (Date.parse(last?.at ?? "") - Date.parse(first?.at ?? "")) / 1_000,
  };
}

const FAULT = { FAULT: JSON.stringify({ amendShare: SHARE }) };

const BAD = `components:
  gateway: { release: ${RELEASE}, floor: 100% }
steps:
  - roll: gateway
    dark: none
    drain: { notice: 1s, deadline: 5s }
    waves:
      - { regions: [tokyo], batch: 1, surge: 1, soak: 10s }
      - { regions: rest, batch: 2, surge: 2, soak: 3s }
`;
