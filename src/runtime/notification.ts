import type { EffectOf } from "../engine/effect.ts";
import type { Run } from "../engine/run.ts";
import type { Notification } from "../ports/notifier.ts";

/** The id is the effect's, so a receiver can drop a second delivery. */
export const notificationOf = (run: Run, effect: EffectOf<"notify">, at: number): Notification => ({
  id: `${run.id}/${effect.id}`,
  kind: effect.notice,
  run: run.id,
  plan: run.graph.plan,
  environment: run.graph.environment,
  at,
  text: effect.text,
});
