import { isVisible, touches, type Move } from "../../graph/move.ts";
import { go, isQuiet, notify } from "../decision.ts";
import type { Effect } from "../effect.ts";
import { looks } from "../begin.ts";
import { causeOf, effectsOf } from "../move-effects.ts";
import type { Decision, Run } from "../run.ts";
import { isThereAlready } from "../standing.ts";
import { complete } from "./moving.ts";
import { isApplied } from "./preparing.ts";

/** Failure rates that must be excluded before anything else is changed. About 44 clean outcomes a stream at a baseline of 0.1 %. */
export const PROMOTION = { excludePct: 10, confidencePct: 99 } as const;

/** Goes to a move: past those that are there already, through the gate where evidence is wanted, or to the end. */
export function enter(run: Run, index: number, first: readonly Effect[] = []): Decision {
  const move = run.graph.moves[index];
  const here: Run = { ...run, next: index };
  if (move === undefined) return run.isEvidenced ? finish(here, first) : gate(here, first);
  if (isSatisfied(here, move)) return enter(here, index + 1, first);
  if (run.isHaltAsked && isBoundary(here)) return halt(here, "HALTED", "halted on request, between two batches", first);
  return touches(move) && !run.isEvidenced ? gate(here, first) : beginMove(here, move, first);
}

/** Sends a move's effects. The guard hears of it first, so that suspicion starts with the change and not after it. */
export function beginMove(run: Run, move: Move, first: readonly Effect[] = []): Decision {
  const touched: Run =
    touches(move) && !run.touched.includes(move.id) ? { ...run, touched: [...run.touched, move.id] } : run;
  const effects = effectsOf(touched, move);
  const started = go(touched, { kind: "moving" }, [
    ...first,
    ...markOf(run, move, "begun"),
    ...effects,
    ...approvalNotice(run, move),
  ]);
  return isQuiet(started.run) && move.kind !== "approve" ? complete(started, move) : started;
}

/** Begun: suspicion concentrates on this change from now on. Done: only evidence of health starts again; what was before the change stays "before". */
export const markOf = (run: Run, move: Move, when: "begun" | "done"): readonly Effect[] =>
  isVisible(move)
    ? [
        {
          kind: "mark",
          id: `mark:${move.id}:${when}:${run.facts}`,
          cause: when === "begun" ? causeOf(run.graph, move) : { kind: "start" },
        },
      ]
    : [];

const approvalNotice = (run: Run, move: Move): readonly Effect[] =>
  move.kind === "approve"
    ? [notify(run, "approval", `waits for approval by ${move.who}: midflight approve ${run.id}`)]
    : [];

/** Nothing goes on until the guard has positive evidence, newer than the last change that users could feel. */
function gate(run: Run, first: readonly Effect[]): Decision {
  return go(run, { kind: "gating" }, [
    ...first,
    { id: `evidence:${run.facts}`, kind: "watch", ...PROMOTION },
    { id: `patience:${run.facts}`, kind: "timer", ms: run.graph.guard.holdForMs },
  ]);
}

const finish = (run: Run, first: readonly Effect[]): Decision =>
  go(run, { kind: "finishing" }, [...first, ...looks(run, "final")]);

export const halt = (run: Run, code: string, why: string, first: readonly Effect[] = []): Decision =>
  go(
    { ...run, isHaltAsked: false },
    { kind: "halted", code, why, ...(run.phase.kind === "withdrawn" ? { withdrawn: run.phase.regions } : {}) },
    [...first, notify(run, "held", `halted: ${why}`)],
  );

const isSatisfied = (run: Run, move: Move): boolean => {
  if (run.touched.includes(move.id)) return false;
  if (move.kind === "migrate") return isApplied(run, move.component, move.names);
  return "regions" in move && move.regions.every((region) => isThereAlready(run, move.component, region));
};

/** A batch is finished before a halt: its moves share all of their id but the last part. */
function isBoundary(run: Run): boolean {
  const batch = (move: Move | undefined) => move?.id.match(/^(.*\/batch-\d+)\//)?.[1];
  const now = batch(run.graph.moves[run.next]);
  return now === undefined || now !== batch(run.graph.moves[run.next - 1]);
}
