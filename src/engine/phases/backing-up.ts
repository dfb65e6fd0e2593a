import { go, isQuiet, stay } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { Decision, Phase, Run } from "../run.ts";
import type { UndoItem } from "../undo-items.ts";
import { check } from "./confirming.ts";
import { nextItem, strand } from "./undoing.ts";

type BackingUp = Extract<Phase, { readonly kind: "backing-up" }>;

/** The undo itself failed, or there is none: the backup plan that the plan names runs now. `remaining` is undone after it. */
export function startBackup(run: Run, backup: string, remaining: readonly UndoItem[]): Decision {
  return enterAction(run, { kind: "backing-up", backup, action: 0, after: remaining });
}

/** An action of the backup plan is done. */
export function backedUp(run: Run, phase: BackingUp): Decision {
  return isQuiet(run) ? enterAction(run, { ...phase, action: phase.action + 1 }) : stay(run);
}

function enterAction(run: Run, phase: BackingUp): Decision {
  const actions = run.graph.backups[phase.backup];
  if (actions === undefined || actions.length === 0) return strand(run, [], `there is no backup plan ${phase.backup}`);
  const action = actions[phase.action];
  if (action === undefined)
    return phase.after.length === 0 ? check({ ...run, phase }) : nextItem({ ...run, phase }, phase.after);
  const id = `backup:${phase.backup}:${phase.action}`;
  const effect: Effect =
    action.kind === "run"
      ? { id, kind: "run", argv: action.argv, shell: action.shell, timeoutMs: action.timeoutMs }
      : { id, kind: "verify", component: action.component, deadlineMs: action.timeoutMs };
  return go({ ...run, backup: phase.backup }, phase, [effect]);
}
