import type { ProofResult } from "../../guard/proof.ts";
import type { HealthNeed } from "../../guard/health.ts";
import type { Verdict } from "../../guard/verdict.ts";
import type { Mark, ProofOrder, WatchConfig, WatchedInstance, WatchPulse } from "../../ports/watcher.ts";

/** What the main thread tells the guard's thread. `id` names a question; its answer repeats it. */
export type ToThread =
  | { readonly kind: "start"; readonly config: WatchConfig }
  | { readonly kind: "instances"; readonly instances: readonly WatchedInstance[] }
  | { readonly kind: "mark"; readonly mark: Mark }
  | { readonly kind: "evidence"; readonly id: number; readonly need: HealthNeed }
  | { readonly kind: "prove"; readonly id: number; readonly order: ProofOrder }
  | { readonly kind: "abandon"; readonly id: number }
  | { readonly kind: "stop" };

export type FromThread =
  | { readonly kind: "started" }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  | { readonly kind: "pulse"; readonly pulse: WatchPulse }
  | { readonly kind: "evidence"; readonly id: number; readonly verdict: Verdict }
  | { readonly kind: "proof"; readonly id: number; readonly result: ProofResult }
  | { readonly kind: "stopped" };
