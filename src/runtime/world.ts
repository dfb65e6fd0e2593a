import type { Run } from "../engine/run.ts";
import { oldOf, placeOf } from "../engine/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { Journal, RunStore } from "../ports/journal.ts";
import type { HeldLease } from "../ports/lease.ts";
import type { Metadata } from "../ports/metadata.ts";
import type { Notifier } from "../ports/notifier.ts";
import type { Runner } from "../ports/runner.ts";
import type { Traffic, Weighing } from "../ports/traffic.ts";
import type { WatchConfig, WatchedInstance, Watcher } from "../ports/watcher.ts";
import type { Workload, WorkloadState } from "../ports/workload.ts";
import type { Migration } from "../plan/model.ts";

/** Everything that a run acts through. Built by the cli's wiring, or by the simulation. */
export type World = {
  readonly workloads: Readonly<Record<string, { readonly workload: Workload; readonly traffic: Traffic }>>;
  /** Components that users' operations enter through and that the plan leaves alone: they tell how users fare. Only looked at. */
  readonly witnesses?: readonly Witness[];
  readonly metadata: Readonly<Record<string, { readonly store: Metadata; readonly migrations: readonly Migration[] }>>;
  readonly watcher: Watcher;
  readonly watch: WatchConfig;
  readonly runner: Runner;
  /** Working folder and environment of the plan's own programs. */
  readonly programs: { readonly cwd: string; readonly env: Readonly<Record<string, string>> };
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
};

export type Witness = {
  readonly component: string;
  readonly regions: readonly string[];
  readonly workload: Pick<Workload, "observe">;
};

/** Where a run's truth lies, and the right to act on it. */
export type Custody = { readonly store: RunStore; readonly journal: Journal; readonly lease: HeldLease };

/** The instances that were seen last, by place; what the watcher is told follows from it. */
export class Sightings {
  private readonly states = new Map<string, WorkloadState>();

  see(component: string, state: WorkloadState): void {
    this.states.set(placeOf(component, state.region), state);
  }

  last(component: string, region: string): WorkloadState | undefined {
    return this.states.get(placeOf(component, region));
  }

  /** A weighing that was confirmed, without another look. */
  weigh(component: string, region: string, weighing: Weighing): void {
    const state = this.last(component, region);
    if (state === undefined) return;
    const weightOf = (digest: string, ordinal: number, was: number) => {
      const rule =
        weighing.find((entry) => entry.digest === digest && entry.admitted > 0) ??
        weighing.find((entry) => entry.digest === digest);
      if (rule === undefined) return was;
      return ordinal <= rule.admitted ? rule.weightPct : 0;
    };
    this.see(component, {
      region,
      instances: state.instances.map((one) => ({
        ...one,
        weightPct: weightOf(one.digest, one.ordinal, one.weightPct),
      })),
    });
  }

  watched(run: Run): readonly WatchedInstance[] {
    return [...this.states].flatMap(([place, state]) => {
      const component = place.slice(0, place.length - state.region.length - 1);
      const graph = run.graph.components[component];
      // No operation of a user meets it: nothing can be asked of it, and its address is nobody's to probe.
      if (graph?.kind === "workload" && graph.isBehind === true) return [];
      const old = oldOf(run, component, state.region)?.digest;
      return state.instances
        .filter((one) => one.ready && one.address !== undefined)
        .map((one) => ({
          id: one.id,
          component,
          region: state.region,
          release: one.release,
          side:
            graph?.kind === "workload" && one.digest === graph.target.digest && one.digest !== old
              ? ("new" as const)
              : ("old" as const),
          url: `http://${one.address}`,
          inTraffic: one.weightPct > 0,
        }));
    });
  }
}
