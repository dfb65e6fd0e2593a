import type { Fence } from "./fence.ts";
import type { Shape, WorkloadState } from "../graph/observation.ts";

export type { Instance, Shape, WorkloadState } from "../graph/observation.ts";

/**
 * The instances of one component. Level-triggered: a call says what shall be true, looks first, then converges;
 * it may be sent twice, and stops between two instances when its signal aborts.
 */
export interface Workload {
  /** Rejects `WORKLOAD_UNREACHABLE` when the region cannot be seen at all. */
  observe(region: string, signal: AbortSignal): Promise<WorkloadState>;
  /**
   * Resolves when exactly `count` instances of each named digest run and are ready. Missing ones are started in the
   * dark (weight 0) and surplus ones, highest ordinal first, are taken out of traffic, drained and stopped. Starts before it stops.
   * A target that keeps its instances alive itself brings back one that died by itself, in traffic.
   * Where instances are replaced in place there are as many places as before, always. New ones come up in traffic where old ones leave, and in
   * the dark where none does; old ones that are too few come back in the places of new ones, in traffic, and those new ones are gone then,
   * whatever their count says.
   * Rejects: `FOREIGN_CHANGE` (an instance of another digest is there), `INSTANCE_NOT_READY`, `RELEASE_DIGEST_MISMATCH`, `FENCED`, `WORKLOAD_UNREACHABLE`.
   */
  shape(region: string, shape: Shape, fence: Fence, signal: AbortSignal): Promise<WorkloadState>;
}
