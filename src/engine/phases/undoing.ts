import type { WorkloadState } from "../../graph/observation.ts";
import { after, go, isQuiet, notify, order, stay } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { FactOf } from "../fact.ts";
import { instancesChanged } from "../move-effects.ts";
import { placeOf, type Decision, type Run, type UndoStage } from "../run.ts";
import { componentOf, shapeOf, standingOf, weighingOf, withStanding } from "../standing.ts";
import { undoPlan, type UndoItem } from "../undo-items.ts";
import { startBackup } from "./backing-up.ts";
import { check } from "./confirming.ts";

const UNDO_DEADLINE_MS = 120_000;
const WEIGH_DEADLINE_MS = 10_000;

/** A withdrawal was answered. Whether it worked or not, the undo that follows ends the same. */
export const withdrew = (run: Run): Decision => (isQuiet(run) ? startUndo(run) : stay(run));

export function startUndo(run: Run): Decision {
  const plan = undoPlan(run);
  return nextItem({ ...run, kept: plan.kept }, plan.items);
}

/** Goes to the first item; when none is left, to the backup plan of a point of no return, or to the last check. */
export function nextItem(run: Run, items: readonly UndoItem[]): Decision {
  const [item] = items;
  if (item !== undefined) return enterStage(run, items, item.kind === "workload" ? "look" : "only");
  const { beyond } = undoPlan(run);
  if (beyond === undefined || run.phase.kind === "backing-up") return check(run);
  return beyond.backup === undefined
    ? strand(run, [beyond.move], `${beyond.move} cannot be taken back and has no backup plan`)
    : startBackup(run, beyond.backup, []);
}

function enterStage(run: Run, items: readonly UndoItem[], stage: UndoStage): Decision {
  const [item] = items;
  const effects = item === undefined ? [] : stageEffects(run, item, stage);
  const entered = go(run, { kind: "undoing", items, stage }, effects);
  return effects.length === 0 ? after(entered, leaveStage(entered.run, items, stage)) : entered;
}

function stageEffects(run: Run, item: UndoItem, stage: UndoStage): readonly Effect[] {
  switch (item.kind) {
    case "metadata":
      return [
        {
          id: `undo:${item.moves[0]}`,
          kind: "migrate",
          component: item.component,
          direction: "down",
          names: item.names,
          deadlineMs: UNDO_DEADLINE_MS,
        },
        mark(run, { kind: "metadata", component: item.component }),
      ];
    case "run":
      return [
        { id: `undo:${item.moves[0]}`, kind: "run", argv: item.argv, shell: item.shell, timeoutMs: item.timeoutMs },
      ];
    case "workload":
      return workloadEffects(run, item, stage);
  }
}

const mark = (run: Run, cause: Extract<Effect, { readonly kind: "mark" }>["cause"]): Effect => ({
  id: `mark:undo:${run.facts}`,
  kind: "mark",
  cause,
});

function workloadEffects(
  run: Run,
  item: Extract<UndoItem, { readonly kind: "workload" }>,
  stage: UndoStage,
): readonly Effect[] {
  const { component } = item;
  const full = componentOf(run, component).instances;
  const { drain } = componentOf(run, component);
  return regionsToRestore(run, item).map((region): Effect => {
    const id = `undo:${placeOf(component, region)}:${stage}`;
    const fresh = standingOf(run, component, region).fresh;
    switch (stage) {
      case "look":
      case "only":
        return { id, kind: "observe-workload", component, region };
      case "bring-back":
        return {
          id,
          kind: "shape",
          component,
          region,
          shape: shapeOf(run, component, region, { old: full, fresh, admitted: 0 }, drain),
          deadlineMs: UNDO_DEADLINE_MS,
        };
      case "readmit":
        return {
          id,
          kind: "weigh",
          component,
          region,
          weighing: weighingOf(run, component, region, { old: full, fresh, admitted: 0 }),
          deadlineMs: WEIGH_DEADLINE_MS,
        };
      case "clear":
        return {
          id,
          kind: "shape",
          component,
          region,
          shape: shapeOf(run, component, region, { old: full, fresh: 0, admitted: 0 }, drain),
          deadlineMs: UNDO_DEADLINE_MS,
        };
    }
  });
}

/** A region that ran the target before the run was never touched. */
const regionsToRestore = (run: Run, item: Extract<UndoItem, { readonly kind: "workload" }>): readonly string[] =>
  item.regions.filter(
    (region) =>
      run.before.workloads[placeOf(item.component, region)]?.instances[0]?.digest !==
      componentOf(run, item.component).target.digest,
  );

/** An effect of the stage is done. When all are, the next stage or the next item. */
export function undone(run: Run, fact: FactOf<"effect-done">): Decision {
  if (run.phase.kind !== "undoing") return stay(run);
  const known =
    fact.result.kind === "workload" && run.phase.stage === "look" ? counted(run, fact.result.state, fact.id) : run;
  return isQuiet(known) ? leaveStage(known, run.phase.items, run.phase.stage) : stay(known);
}

/** How many new ones really stand there: bringing the old back must not start a new one that was never there. */
function counted(run: Run, state: WorkloadState, id: string): Run {
  const component = id.slice("undo:".length).split("/")[0] ?? "";
  const { target } = componentOf(run, component);
  const fresh = state.instances.filter((one) => one.digest === target.digest && one.ready).length;
  return withStanding(run, component, state.region, { ...standingOf(run, component, state.region), fresh });
}

function leaveStage(run: Run, items: readonly UndoItem[], stage: UndoStage): Decision {
  switch (stage) {
    case "look":
      return enterStage(run, items, "bring-back");
    case "bring-back":
      return enterStage(run, items, "readmit");
    case "readmit":
      return enterStage(run, items, "clear");
    case "clear":
    case "only":
      return itemDone(run, items);
  }
}

function itemDone(run: Run, items: readonly UndoItem[]): Decision {
  const [item, ...rest] = items;
  if (item === undefined) return nextItem(run, []);
  const restored =
    item.kind === "workload"
      ? item.regions.reduce(
          (known, region) =>
            withStanding(known, item.component, region, {
              old: componentOf(known, item.component).instances,
              fresh: 0,
              admitted: 0,
            }),
          run,
        )
      : run;
  const done: Run = { ...restored, undone: [...restored.undone, ...item.moves] };
  const marked = item.kind === "workload" ? order(done, [mark(done, instancesChanged(done.graph, item))]) : stay(done);
  return after(marked, nextItem(marked.run, rest));
}

/** Says loudly which step stands where nobody wanted it. New instances stay out of traffic. */
export function strand(run: Run, moves: readonly string[], text: string): Decision {
  const stranded: Run = { ...run, pending: {}, stranded: [...run.stranded, ...moves] };
  return go(stranded, { kind: "ended", outcome: "stranded", text }, [
    notify(run, "stranded", `stranded, a person is needed: ${text}`),
  ]);
}
