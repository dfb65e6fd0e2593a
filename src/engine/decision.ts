import type { NotifyKind } from "../plan/model.ts";
import { isAwaited, type Effect } from "./effect.ts";
import type { Decision, Phase, Run } from "./run.ts";

/** A fact that the phase does not await changes nothing. */
export const stay = (run: Run): Decision => ({ run, effects: [] });

/** Goes to a phase and orders effects; those that are answered become pending. */
export function go(run: Run, phase: Phase, effects: readonly Effect[] = []): Decision {
  return order({ ...run, phase }, effects);
}

export function order(run: Run, effects: readonly Effect[]): Decision {
  const awaited = effects.filter((effect) => isAwaited(effect)).map((effect) => [effect.id, effect] as const);
  return {
    run: awaited.length === 0 ? run : { ...run, pending: { ...run.pending, ...Object.fromEntries(awaited) } },
    effects,
  };
}

/** Takes an answered effect off the list. */
export function settle(run: Run, id: string): Run {
  const { [id]: _, ...pending } = run.pending;
  return { ...run, pending };
}

/** Orders everything that is still awaited to stop, and awaits it no longer. */
export const cancelPending = (run: Run): Decision => without(run, () => true);

/** The same with some of it. */
export function without(run: Run, isOver: (id: string) => boolean): Decision {
  const over = Object.keys(run.pending).filter((id) => isOver(id));
  const kept = Object.entries(run.pending).filter(([id]) => !isOver(id));
  return {
    run: { ...run, pending: Object.fromEntries(kept) },
    effects: over.map((target): Effect => ({ kind: "cancel", id: `cancel:${target}:${run.facts}`, target })),
  };
}

/** Puts the effects of `first` before those of a decision that was made on its run. */
export const after = (first: Decision, second: Decision): Decision => ({
  run: second.run,
  effects: [...first.effects, ...second.effects],
});

/** Whether nothing is awaited, but for these. */
export const isQuiet = (run: Run, isPassedOver: (id: string) => boolean = () => false): boolean =>
  Object.keys(run.pending).every((id) => isPassedOver(id));

/** Whether one of these is awaited. */
export const awaits = (run: Run, isOne: (id: string) => boolean): boolean =>
  Object.keys(run.pending).some((id) => isOne(id));

/** Sends pending effects again, as they are: after a crash the same id goes out again. */
export const resend = (run: Run): Decision => ({ run, effects: Object.values(run.pending) });

export const notify = (run: Run, notice: NotifyKind, text: string): Effect => ({
  kind: "notify",
  id: `notify:${notice}:${run.facts}`,
  notice,
  text,
});
