import type { WorkloadState } from "../../graph/observation.ts";
import { after, cancelPending, go, isQuiet, notify, order, stay } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { FactOf } from "../fact.ts";
import { instancesChanged } from "../move-effects.ts";
import { placeOf, type Decision, type Run, type UndoStage } from "../run.ts";
import { componentOf, shapeOf, standingOf, weighingOf, withStanding } from "../standing.ts";
import { regionsToRestore, undoPlan, type UndoItem, type WorkloadItem } from "../undo-items.ts";
import {
  asideAtOnce,
  AWAY_PATIENCE_MS,
  cameBack,
  isAnyAway,
  isAway,
  isPatience,
  isQuietHere,
  LOOK_DEADLINE_MS,
} from "./away.ts";
import { startBackup } from "./backing-up.ts";
import { check } from "./confirming.ts";

const UNDO_DEADLINE_MS = 120_000;
const WEIGH_DEADLINE_MS = 10_000;

/** A withdrawal was answered. Whether it worked or not, the undo that follows ends the same. */
export const withdrew = (run: Run): Decision => (isQuiet(run) ? startUndo(run) : stay(run));

export function startUndo(run: Run): Decision {
  const plan = undoPlan(run);
  return nextItem({ ...run, kept: plan.kept, away: {}, parked: [] }, plan.items);
}

/**
 * Goes to the first item; when none is left, to the backup plan of a point of no return, or to the last check. What a region still runs that
 * cannot be reached is built on what would be taken back next, unless that is instances, which are apart in each region: so it is waited for.
 */
export function nextItem(run: Run, items: readonly UndoItem[]): Decision {
  const [item] = items;
  if (item?.kind === "workload") {
    const aside = asideAtOnce(run, item);
    return after(aside, enterStage(aside.run, items, "look"));
  }
  if (isAnyAway(run)) return awaitOthers(run, items);
  if (item !== undefined) return enterStage(run, items, "only");
  const { beyond } = undoPlan(run);
  if (beyond === undefined || run.phase.kind === "backing-up") return check(run);
  return beyond.backup === undefined
    ? strand(run, [beyond.move], `${beyond.move} cannot be taken back and has no backup plan`)
    : startBackup(run, beyond.backup, []);
}

function awaitOthers(run: Run, items: readonly UndoItem[]): Decision {
  const all = Object.values(run.away ?? {});
  if (!all.every(({ isBarred }) => isBarred === true)) return go(run, { kind: "undoing", items, stage: "await" });
  return giveUp(run, items, [...new Set(all.map(({ why }) => why))].join("; "));
}

function giveUp(run: Run, items: readonly UndoItem[], text: string): Decision {
  const quiet = cancelPending(run);
  const left = [...items, ...(run.parked ?? [])].flatMap(({ moves }) => moves);
  return after(quiet, strand(quiet.run, left, text));
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

const workloadEffects = (run: Run, item: WorkloadItem, stage: UndoStage): readonly Effect[] =>
  regionsToRestore(run, item)
    .filter((region) => !isAway(run, placeOf(item.component, region)))
    .map((region) => effectIn(run, item.component, { region, stage }));

function effectIn(
  run: Run,
  component: string,
  { region, stage }: { readonly region: string; readonly stage: UndoStage },
): Effect {
  const id = `undo:${placeOf(component, region)}:${stage}`;
  const { drain, instances: full } = componentOf(run, component);
  const { fresh } = standingOf(run, component, region);
  switch (stage) {
    case "look":
    case "only":
    case "await":
      return { id, kind: "observe-workload", component, region, deadlineMs: LOOK_DEADLINE_MS };
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
}

/** An effect of the stage is done. When all are, the next stage or the next item. */
export function undone(run: Run, fact: FactOf<"effect-done">): Decision {
  const { phase } = run;
  if (phase.kind !== "undoing") return stay(run);
  if (isPatience(fact.id)) return giveUp(run, phase.items, unanswered(run));
  const [, place = "", stage] = /^undo:([^:]+):([^:]+)$/.exec(fact.id) ?? [];
  const known = fact.result.kind === "workload" && stage === "look" ? counted(run, fact.result.state, fact.id) : run;
  return isAway(run, place) ? follow(known, place, stageNamed(stage)) : goOnHere(known);
}

/** Nothing is awaited any more but from places that are away: the next stage or the next item. */
export const goOnHere = (run: Run): Decision =>
  run.phase.kind === "undoing" && isQuietHere(run) ? leaveStage(run, run.phase.items, run.phase.stage) : stay(run);

const unanswered = ({ away = {} }: Run): string =>
  `${Object.entries(away)
    .map(([place, { why }]) => `${place} (${why})`)
    .join(", ")} could not be taken back within ${AWAY_PATIENCE_MS / 60_000} min`;

const STAGES: readonly UndoStage[] = ["look", "bring-back", "readmit", "clear"];
const stageNamed = (name: string | undefined): UndoStage => STAGES.find((one) => one === name) ?? "clear";

/** A place that was away answers again: it goes through its stages by itself. */
function follow(run: Run, place: string, stage: UndoStage): Decision {
  const [component = "", region = ""] = place.split("/");
  const next = STAGES[STAGES.indexOf(stage) + 1];
  if (next !== undefined) return order(run, [effectIn(run, component, { region, stage: next })]);
  const full = componentOf(run, component).instances;
  const back = cameBack(withStanding(run, component, region, { old: full, fresh: 0, admitted: 0 }), place);
  const settled = after(back, settleParked(back.run));
  const { phase } = settled.run;
  return phase.kind === "undoing" && phase.stage === "await"
    ? after(settled, nextItem(settled.run, phase.items))
    : settled;
}

/** What waited only for places that are back now is undone. */
function settleParked(run: Run): Decision {
  const parked = run.parked ?? [];
  const done = parked.filter((item) => !isMissingPlaces(run, item));
  if (done.length === 0) return stay(run);
  const known: Run = {
    ...run,
    parked: parked.filter((item) => !done.includes(item)),
    undone: [...run.undone, ...done.flatMap(({ moves }) => moves)],
  };
  return order(
    known,
    done.flatMap((item) => (item.kind === "workload" ? [mark(known, instancesChanged(known.graph, item))] : [])),
  );
}

const isMissingPlaces = (run: Run, item: UndoItem): boolean =>
  item.kind === "workload" && item.regions.some((region) => isAway(run, placeOf(item.component, region)));

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
    case "await":
      return nextItem(run, items);
  }
}

function itemDone(run: Run, items: readonly UndoItem[]): Decision {
  const [item, ...rest] = items;
  if (item === undefined) return nextItem(run, []);
  const restored =
    item.kind === "workload"
      ? item.regions
          .filter((region) => !isAway(run, placeOf(item.component, region)))
          .reduce(
            (known, region) =>
              withStanding(known, item.component, region, {
                old: componentOf(known, item.component).instances,
                fresh: 0,
                admitted: 0,
              }),
            run,
          )
      : run;
  if (isMissingPlaces(restored, item))
    return nextItem({ ...restored, parked: [...(restored.parked ?? []), item] }, rest);
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
