import type { Run } from "../engine/run.ts";
import { isThereAlready } from "../engine/standing.ts";
import { undoPlan } from "../engine/undo-items.ts";
import { programText, touches, type Move } from "../graph/move.ts";

/** What an upgrade would do, as plain data. */
export type Forecast = {
  readonly plan: string;
  readonly environment: string;
  readonly class: string;
  readonly planFingerprint: string;
  /** Empty when the run could start. */
  readonly refusals: readonly string[];
  readonly changes: readonly Change[];
  readonly steps: readonly ForecastStep[];
  /** What an undo at the very end would leave in place, and where the way back ends. */
  readonly kept: readonly string[];
  readonly noReturn: readonly string[];
  readonly risks: readonly string[];
  /** Shortest possible time: soaks, drains and notices, without evidence and start-up. */
  readonly atLeastMs: number;
};

export type Change =
  | {
      readonly kind: "workload";
      readonly component: string;
      readonly region: string;
      readonly from: string;
      readonly to: string;
      readonly fromDigest: string;
      readonly toDigest: string;
      readonly instances: number;
      readonly isThere: boolean;
    }
  | {
      readonly kind: "metadata";
      readonly component: string;
      readonly applied: readonly string[];
      readonly pending: readonly string[];
      readonly fingerprint: string;
    };

export type ForecastStep = { readonly id: string; readonly title: string; readonly undo: string };

export function forecast(run: Run, planFingerprint: string): Forecast {
  const { graph } = run;
  const everything: Run = { ...run, touched: graph.moves.filter((move) => touches(move)).map((move) => move.id) };
  return {
    plan: graph.plan,
    environment: graph.environment,
    class: graph.class,
    planFingerprint,
    refusals: run.phase.kind === "ended" && run.phase.outcome === "refused" ? run.phase.text.split("; ") : [],
    changes: changesOf(run),
    steps: graph.moves.map((move) => ({ id: move.id, title: move.title, undo: undoOf(move) })),
    kept: undoPlan(everything).kept,
    noReturn: graph.moves.flatMap((move) =>
      move.kind === "migrate" && move.irreversible
        ? [`${move.title}${move.backup === undefined ? "" : ` (backup plan: ${move.backup})`}`]
        : [],
    ),
    risks: risksOf(run),
    atLeastMs: graph.moves.reduce((sum, move) => sum + leastMs(move), 0),
  };
}

function changesOf(run: Run): readonly Change[] {
  return Object.values(run.graph.components).flatMap((component): readonly Change[] => {
    if (component.kind === "metadata") {
      const state = run.before.metadata[component.name];
      if (state === undefined) return [];
      const applied = new Set(state.applied.map((one) => one.name));
      const named = run.graph.moves.flatMap((move) =>
        move.kind === "migrate" && move.component === component.name ? move.names : [],
      );
      return [
        {
          kind: "metadata",
          component: component.name,
          applied: [...applied],
          pending: named.filter((name) => !applied.has(name)),
          fingerprint: state.fingerprint,
        },
      ];
    }
    return component.regions.flatMap((region): readonly Change[] => {
      const instances = run.before.workloads[`${component.name}/${region}`]?.instances ?? [];
      const [first] = instances;
      if (first === undefined) return [];
      return [
        {
          kind: "workload",
          component: component.name,
          region,
          from: first.release,
          to: component.target.release,
          fromDigest: first.digest,
          toDigest: component.target.digest,
          instances: instances.length,
          isThere: isThereAlready(run, component.name, region),
        },
      ];
    });
  });
}

function undoOf(move: Move): string {
  switch (move.kind) {
    case "migrate":
      if (move.irreversible) return move.backup === undefined ? "none" : `none; backup plan ${move.backup}`;
      return move.undo === "always" ? "down, always" : "down, when the metadata is the suspect; kept otherwise";
    case "start":
      return "stop what was started";
    case "admit":
      return "out of traffic at once";
    case "retire":
      return "start the old release again, give it the traffic";
    case "shift":
      return "the share from before";
    case "run":
      return move.undo === undefined ? "none" : move.undo.join(" ");
    case "prove":
    case "soak":
    case "verify":
    case "approve":
      return "nothing to undo";
  }
}

function risksOf(run: Run): readonly string[] {
  const { moves, components } = run.graph;
  const unproved = moves.some((move) => move.kind === "admit") && !moves.some((move) => move.kind === "prove");
  const mute = moves.flatMap((move) =>
    move.kind === "run" && move.undo === undefined ? [`\`${programText(move)}\` has no undo`] : [],
  );
  const below = Object.values(components).flatMap((component) =>
    component.kind === "workload" && component.floorPct < 100
      ? [`${component.name} may fall to ${component.floorPct} % of its capacity`]
      : [],
  );
  const gone = moves.flatMap((move) =>
    move.kind === "migrate" && move.irreversible ? [`after ${move.id} there is no way back`] : [],
  );
  return [...(unproved ? ["new instances take users without proof in the dark"] : []), ...mute, ...below, ...gone];
}

function leastMs(move: Move): number {
  if (move.kind === "soak") return move.ms;
  return move.kind === "retire" ? move.drain.noticeMs : 0;
}
