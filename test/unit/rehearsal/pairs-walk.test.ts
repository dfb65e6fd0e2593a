import { expect, test } from "vitest";
import { DrillLog } from "../../../src/cli/rehearsal/drill-log.ts";
import { begin } from "../../../src/engine/begin.ts";
import { decide } from "../../../src/engine/decide.ts";
import { isAwaited, type Effect } from "../../../src/engine/effect.ts";
import type { EffectResult, Fact } from "../../../src/engine/fact.ts";
import type { Run } from "../../../src/engine/run.ts";
import { narrator } from "../../../src/events/narrator.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Instance } from "../../../src/graph/observation.ts";
import { wholeWalk } from "../../../src/rehearsal/drills-of.ts";
import { drillsOfPairs } from "../../../src/rehearsal/pairs-of.ts";
import type { Standing } from "../../../src/rehearsal/stage.ts";
import { graphOfTwo, roll } from "./two-components.ts";

/** Workloads that do at once what they are told. */
class Places {
  private readonly instances = new Map<string, readonly Instance[]>();

  constructor(graph: Graph) {
    for (const component of Object.values(graph.components))
      if (component.kind === "workload")
        for (const region of component.regions)
          this.instances.set(`${component.name}/${region}`, [
            ...instancesOf({ release: `${component.name}@1.0`, digest: "sha256:o", count: component.instances }, 100),
          ]);
  }

  standing(): Standing {
    const workloads = [...this.instances].map(([place, instances]) => [
      place,
      { region: place.split("/")[1] ?? "", instances },
    ]);
    return { metadata: {}, workloads: Object.fromEntries(workloads) };
  }

  answer(effect: Effect): EffectResult {
    switch (effect.kind) {
      case "observe-workload":
        return this.seen(effect.component, effect.region);
      case "shape": {
        const had = this.instances.get(`${effect.component}/${effect.region}`) ?? [];
        const shaped = effect.shape.releases.flatMap((wish) =>
          instancesOf(wish, 0).map((one) => had.find(({ id }) => id === one.id) ?? one),
        );
        this.instances.set(`${effect.component}/${effect.region}`, shaped);
        return this.seen(effect.component, effect.region);
      }
      case "weigh": {
        const place = `${effect.component}/${effect.region}`;
        const weighed = (this.instances.get(place) ?? []).map((one) => {
          const weighing = effect.weighing.find(({ digest }) => digest === one.digest);
          const isIn = weighing !== undefined && one.ordinal <= weighing.admitted;
          return { ...one, weightPct: isIn ? weighing.weightPct : 0 };
        });
        this.instances.set(place, weighed);
        return { kind: "weighed" };
      }
      case "watch":
        return {
          kind: "evidence",
          verdict: { state: "healthy", reason: "no failure rate of 10 %", regions: [], at: 0, streams: [] },
        };
      case "timer":
        return { kind: "elapsed" };
      case "observe-metadata":
      case "migrate":
      case "verify":
      case "prove":
      case "run":
      case "mark":
      case "ask":
      case "notify":
      case "cancel":
        throw new Error(`the plan of this test orders no ${effect.kind}`);
    }
  }

  private seen(component: string, region: string): EffectResult {
    return { kind: "workload", state: { region, instances: this.instances.get(`${component}/${region}`) ?? [] } };
  }
}

const instancesOf = (
  { release, digest, count }: { readonly release: string; readonly digest: string; readonly count: number },
  weightPct: number,
): readonly Instance[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${release}-${index + 1}`,
    release,
    digest,
    ordinal: index + 1,
    ready: true,
    weightPct,
  }));

/** Folds a whole run, told as a drill's run is told. Timers end only when nothing else is awaited. */
function walked(graph: Graph, places: Places): { readonly run: Run; readonly log: DrillLog } {
  const log = new DrillLog(wholeWalk);
  const narrate = narrator();
  const opened = {
    kind: "opened",
    run: "r",
    graph,
    planFingerprint: "",
    graphFingerprint: "",
    version: "",
    epoch: 1,
  } as const;
  let seq = 1;
  const tell = (fact: Fact, effects: readonly Effect[], after: Run) => {
    for (const event of narrate({ seq, fact, effects }, after)) log.heed(event);
    seq += 1;
  };
  let { run, effects } = begin(opened);
  tell({ ...opened, at: 0 }, effects, run);
  while (run.phase.kind !== "ended") {
    const awaited = Object.values(run.pending).filter((effect) => isAwaited(effect));
    const next = awaited.find(({ kind }) => kind !== "timer") ?? awaited[0];
    if (next === undefined) throw new Error(`it stands still in ${run.phase.kind}`);
    const fact: Fact = { at: seq, kind: "effect-done", id: next.id, result: places.answer(next) };
    ({ run, effects } = decide(run, fact));
    tell(fact, effects, run);
  }
  return { run, log };
}

test.each([
  { name: "the called one first", steps: ["engine", "gateway"], middle: "pair gateway@1.0 with engine@2.0" },
  { name: "the caller first", steps: ["gateway", "engine"], middle: "pair gateway@2.0 with engine@1.0" },
])("a walk that is promoted has shown the guard every pair that it passed through: $name", ({ steps, middle }) => {
  const graph = graphOfTwo(steps.map((component) => roll(component, ["tokyo"], ["frankfurt"])));
  const places = new Places(graph);
  const before = places.standing();
  const { run, log } = walked(graph, places);
  expect(run.phase).toMatchObject({ kind: "ended", outcome: "promoted" });
  const drills = drillsOfPairs(graph, before, [{ ...log.told(run, 1), dark: [] }]);
  expect(drills.map(({ name, outcome, detail }) => [name, outcome, detail.split("\n").length])).toEqual([
    ["pair gateway@1.0 with engine@1.0", "passed", 2],
    [middle, "passed", 2],
    ["pair gateway@2.0 with engine@2.0", "passed", 2],
  ]);
});
