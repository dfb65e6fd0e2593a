import type { Graph } from "../../src/graph/graph.ts";
import type { Move } from "../../src/graph/move.ts";

/** As much of a compiled plan as trials look at. */
export const graphOf = (moves: readonly Move[]): Graph => ({
  midflight: 1,
  plan: "trial",
  environment: "demo",
  class: "demo",
  regions: ["tokyo"],
  components: {},
  moves,
  guard: {
    operations: ["order", "amend", "cancel"],
    falseAlarmEveryMs: 1,
    baselineAtMostPct: 0.1,
    slowerThanMs: 250,
    deadlineMs: 250,
    probesPerSec: 30,
    suspectForMs: 10_000,
    holdForMs: 600_000,
  },
  backups: {},
});

const stem = (id: string, step: number) => ({ id, step, title: id, deadlineMs: 60_000, retries: 0 });

export const migrateMove = (
  step: number,
  names: readonly string[],
  more: { readonly irreversible?: boolean } = {},
): Move => ({
  ...stem(`${step}/migrate`, step),
  kind: "migrate",
  component: "store",
  phase: "expand",
  names,
  irreversible: more.irreversible ?? false,
  undo: "suspect",
});

/** A roll of one batch in each of the regions, one region after the other. */
export const rollMoves = (step: number, component: string, regions: readonly string[]): readonly Move[] =>
  regions.flatMap((region): readonly Move[] => {
    const drain = { noticeMs: 0, deadlineMs: 1_000 };
    const at = { component, regions: [region] };
    return [
      { ...stem(`${step}/${region}/start`, step), kind: "start", ...at, fresh: 1, keep: 1, drain },
      { ...stem(`${step}/${region}/admit`, step), kind: "admit", ...at, fresh: 1, keep: 1 },
      { ...stem(`${step}/${region}/retire`, step), kind: "retire", ...at, fresh: 1, keep: 0, drain },
    ];
  });
