import type { Fact } from "../engine/fact.ts";
import { placeOf, type Run } from "../engine/run.ts";
import type { WorkloadState } from "../ports/workload.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Sightings, World } from "./world.ts";

const EVERY_MS = 1_000;

type Beat = {
  readonly world: World;
  readonly sightings: Sightings;
  readonly dispatch: Dispatch;
  readonly run: () => Run | undefined;
  readonly post: (fact: Fact) => void;
  /** A witness was seen anew. */
  readonly witnessed: () => void;
  readonly signal: AbortSignal;
};

/** Looks at every workload once a second while nothing is being changed, and tells what differs from the last look; at witnesses always. */
export async function patrol(beat: Beat): Promise<void> {
  const told = new Map<string, string>();
  while (!beat.signal.aborted) {
    await beat.world.clock.sleep(EVERY_MS, beat.signal).catch(() => {});
    const run = beat.run();
    if (beat.signal.aborted || run === undefined) continue;
    await lookAtWitnesses(beat, told);
    if (beat.signal.aborted || run.phase.kind === "preparing") continue;
    for (const component of Object.values(run.graph.components)) {
      if (component.kind === "workload")
        for (const region of component.regions) await look(beat, component.name, region, told);
    }
  }
}

// What others do to them is none of the run's business: it is told to the guard and changes no decision.
async function lookAtWitnesses(beat: Beat, told: Map<string, string>): Promise<void> {
  for (const { component, regions, workload } of beat.world.witnesses ?? []) {
    for (const region of regions) {
      const state = await workload.observe(region, beat.signal).catch(() => undefined);
      if (state === undefined || beat.signal.aborted) continue;
      const [place, text] = [placeOf(component, region), signature(state)];
      if (told.get(place) === text) continue;
      told.set(place, text);
      beat.sightings.see(component, state);
      beat.witnessed();
    }
  }
}

async function look(beat: Beat, component: string, region: string, told: Map<string, string>): Promise<void> {
  const { sent } = beat.dispatch;
  if (beat.dispatch.isChanging()) return;
  const state = await beat.world.workloads[component]?.workload.observe(region, beat.signal).catch(() => undefined);
  // Something was sent while we looked: this look may show a half-done change.
  if (state === undefined || beat.dispatch.sent !== sent || beat.signal.aborted) return;
  const text = signature(state);
  beat.sightings.see(component, state);
  const place = placeOf(component, region);
  if (told.get(place) === text) return;
  told.set(place, text);
  beat.post({ kind: "sighted", at: beat.world.clock.now(), component, state });
}

const signature = (state: WorkloadState): string =>
  [
    ...state.instances.map((one) => `${one.id} ${one.digest} ${one.ready} ${one.weightPct}`).toSorted(),
    ...(state.foreign === undefined ? [] : [state.foreign]),
  ].join("\n");
