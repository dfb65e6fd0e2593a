import type { Graph } from "../graph/graph.ts";
import { seconds } from "../graph/seconds.ts";
import { havePassed, type Drill } from "./drill.ts";
import { matchGraphs } from "./match-graphs.ts";
import type { Rehearsal, SoakRecord } from "./rehearsal.ts";
import type { Stage } from "./stage.ts";
import { walk, type WalkNotes, type WalkProgress } from "./walk.ts";

/** One part of a rehearsal before anything is walked: lint, parity, trials on a clone. */
export type Check = {
  readonly name: string;
  run(stage: Stage, signal: AbortSignal): Promise<readonly Drill[]>;
};

/** Something that is counted while the plan is walked. Resolves with the way to end it and to be told what came of it. */
export type Counter = (stage: Stage, signal: AbortSignal) => Promise<() => Promise<readonly Drill[]>>;

export type RehearsalOrder = {
  readonly plan: string;
  readonly planFingerprint: string;
  readonly demo: Graph;
  readonly production: Graph;
  /** Looks only: nothing is walked, and no certificate can follow. */
  readonly isQuick: boolean;
  readonly soakMs: number;
  /** Longest soak on the way of a drill. */
  readonly drillSoakMs: number;
  readonly allows: Rehearsal["allows"];
  /** What an earlier rehearsal of exactly this has done: only its soak goes on. */
  readonly resumed?: Rehearsal;
};

export type RehearsalParts = {
  readonly checks: readonly Check[];
  readonly counters: readonly Counter[];
  readonly stage: Stage;
  readonly notes: WalkNotes;
  /** Lets demo carry what it has, and counts while the guard says healthy. Resolves when `askedMs` are reached. */
  soak(record: SoakRecord, onProgress: (record: SoakRecord) => Promise<void>, signal: AbortSignal): Promise<SoakRecord>;
  /** ms since the epoch. */
  now(): number;
  /** Called after every drill: state on disk before the next one touches anything. */
  keep(rehearsal: Rehearsal): Promise<void>;
  readonly progress: WalkProgress & { soaking(record: SoakRecord): void };
};

/**
 * Everything that production would go through, in demo. Cheap refusals come first: what a lint or a clone refuses is not walked.
 * Resolves with what was found, passed or not; rejects when it could not be carried on.
 */
export async function rehearse(order: RehearsalOrder, parts: RehearsalParts, signal: AbortSignal): Promise<Rehearsal> {
  const startedAt = parts.now();
  let state: Rehearsal = order.resumed ?? {
    midflight: 1,
    plan: order.plan,
    planFingerprint: order.planFingerprint,
    environments: [order.demo.environment, order.production.environment],
    startedAt,
    endedAt: startedAt,
    isQuick: order.isQuick,
    scaled: [...matchGraphs(order.demo, order.production).scaled, ...hurry(order)],
    allows: order.allows,
    drills: [],
    moves: [],
    soak: { askedMs: order.soakMs, healthyMs: 0, segments: [], streams: [] },
  };
  const keep = async (more: Partial<Rehearsal>): Promise<void> => {
    state = { ...state, ...more, endedAt: parts.now() };
    await parts.keep(state);
  };
  const add = (drills: readonly Drill[]) => keep({ drills: [...state.drills, ...drills] });
  if (order.resumed === undefined) {
    await add([matchDrill(order)]);
    for (const check of parts.checks) {
      if (!havePassed(state.drills)) return state;
      signal.throwIfAborted();
      parts.progress.starting({ name: check.name, number: 0, of: 0 });
      const drills = await check.run(parts.stage, signal);
      for (const drill of drills) parts.progress.drilled(drill);
      await add(drills);
    }
    if (order.isQuick || !havePassed(state.drills)) return state;
    const told: Promise<void>[] = [];
    const counted = await Promise.all(parts.counters.map((counter) => counter(parts.stage, signal)));
    const walked = await walk(order.demo, parts.stage, {
      notes: parts.notes,
      signal,
      progress: {
        starting: (next) => parts.progress.starting(next),
        drilled: (drill) => {
          parts.progress.drilled(drill);
          told.push(add([drill]));
        },
      },
    });
    await Promise.all(told);
    await keep({ moves: walked.moves });
    if (!havePassed(state.drills)) return state;
    for (const end of counted) {
      const drills = await end();
      for (const drill of drills) parts.progress.drilled(drill);
      await add(drills);
    }
  }
  const soak = await parts.soak(
    state.soak,
    (record) => {
      parts.progress.soaking(record);
      return keep({ soak: record });
    },
    signal,
  );
  const soaked: Drill = {
    name: "stable in demo",
    step: "plan",
    kind: "soak",
    outcome: "passed",
    ms: soak.healthyMs,
    detail: `healthy for ${Math.round(soak.healthyMs / 1000)} s of ${Math.round(soak.askedMs / 1000)} s asked`,
  };
  parts.progress.drilled(soaked);
  await keep({ soak, drills: [...state.drills, soaked] });
  return state;
}

/** That drills wait less than the plan says is said. */
const hurry = ({ demo, drillSoakMs }: RehearsalOrder): readonly string[] =>
  demo.moves.some((move) => move.kind === "soak" && move.ms > drillSoakMs)
    ? [`soaks on the way of drills, ${seconds(drillSoakMs)} at most; the whole plan is walked with its own`]
    : [];

function matchDrill({ demo, production }: RehearsalOrder): Drill {
  const { differences, scaled } = matchGraphs(demo, production);
  return {
    name: `the same steps in ${demo.environment} and ${production.environment}`,
    step: "plan",
    kind: "parity",
    outcome: differences.length === 0 ? "passed" : "failed",
    ms: 0,
    detail: [...differences, ...scaled.map((one) => `scaled: ${one}`)].join("; ") || "step by step alike",
  };
}
