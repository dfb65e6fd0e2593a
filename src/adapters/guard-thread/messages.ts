import type { ProofResult } from "../../guard/proof.ts";
import type { HealthNeed } from "../../guard/health.ts";
import type { Verdict } from "../../guard/verdict.ts";
import type { ProberNews } from "./prober/remote-probes.ts";
import type { Mark, ProofOrder, WatchConfig, WatchedInstance, WatchPulse } from "../../ports/watcher.ts";

/** What the main thread tells the guard's thread. `id` names a question; its answer repeats it. */
export type ToThread =
  | { readonly kind: "start"; readonly config: WatchConfig }
  | { readonly kind: "instances"; readonly instances: readonly WatchedInstance[] }
  | { readonly kind: "mark"; readonly mark: Mark }
  | { readonly kind: "evidence"; readonly id: number; readonly need: HealthNeed }
  | { readonly kind: "prove"; readonly id: number; readonly order: ProofOrder }
  | { readonly kind: "abandon"; readonly id: number }
  | { readonly kind: "prober"; readonly region: string; readonly news: ProberNews }
  | { readonly kind: "stop" };

export type FromThread =
  | { readonly kind: "started" }
  /** Probes of a region cannot begin as they were set up. */
  | {
      readonly kind: "refused";
      readonly region: string;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    }
  /** For the prober of a region. */
  | { readonly kind: "order"; readonly region: string; readonly text: string }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  | { readonly kind: "pulse"; readonly pulse: WatchPulse }
  | { readonly kind: "evidence"; readonly id: number; readonly verdict: Verdict }
  | { readonly kind: "proof"; readonly id: number; readonly result: ProofResult }
  | { readonly kind: "stopped" };
