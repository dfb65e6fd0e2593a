import type { DarkProof, JobProgram, NotifyKind } from "../plan/model.ts";
import type { Shape, Weighing } from "../graph/observation.ts";

/** What the guard is told of a change just made; see `Mark` of the watcher port. */
export type MarkCause =
  | { readonly kind: "start" }
  | { readonly kind: "back" }
  | { readonly kind: "metadata"; readonly component: string }
  | { readonly kind: "behind"; readonly component: string; readonly what: string }
  | { readonly kind: "instances"; readonly component: string; readonly regions: readonly string[] };

/**
 * An order from the engine to the world. It says what shall be true, so it may be sent twice; `id` does not depend on the attempt.
 * `mark`, `ask`, `notify` and `cancel` get no reply.
 */
export type Effect = { readonly id: string } & (
  | {
      readonly kind: "observe-workload";
      readonly component: string;
      readonly region: string;
      readonly deadlineMs?: number;
    }
  | { readonly kind: "observe-metadata"; readonly component: string }
  | {
      readonly kind: "shape";
      readonly component: string;
      readonly region: string;
      readonly shape: Shape;
      readonly deadlineMs: number;
    }
  | {
      readonly kind: "weigh";
      readonly component: string;
      readonly region: string;
      readonly weighing: Weighing;
      readonly deadlineMs: number;
    }
  | {
      readonly kind: "migrate";
      readonly component: string;
      readonly direction: "up" | "down";
      readonly names: readonly string[];
      readonly deadlineMs: number;
    }
  | { readonly kind: "verify"; readonly component: string; readonly deadlineMs: number }
  | {
      readonly kind: "prove";
      readonly component: string;
      readonly region: string;
      readonly digest: string;
      readonly from: number;
      readonly to: number;
      readonly dark: DarkProof;
      readonly deadlineMs: number;
    }
  | { readonly kind: "watch"; readonly excludePct: number; readonly confidencePct: number }
  /** `next` is sent when the time is over: a second attempt after a pause. */
  | { readonly kind: "timer"; readonly ms: number; readonly next?: Effect }
  | {
      readonly kind: "run";
      /** Empty for a Job. */
      readonly argv: readonly string[];
      readonly job?: JobProgram;
      readonly shell: boolean;
      readonly timeoutMs: number;
    }
  | { readonly kind: "mark"; readonly cause: MarkCause }
  | { readonly kind: "ask"; readonly who: string }
  | { readonly kind: "notify"; readonly notice: NotifyKind; readonly text: string }
  | { readonly kind: "cancel"; readonly target: string }
);

export type EffectOf<Kind extends Effect["kind"]> = Extract<Effect, { readonly kind: Kind }>;

/** Whether the engine waits for what comes of it. */
export const isAwaited = (effect: Effect): boolean =>
  effect.kind !== "mark" && effect.kind !== "ask" && effect.kind !== "notify" && effect.kind !== "cancel";
