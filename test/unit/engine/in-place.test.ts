import { expect, test } from "vitest";
import { begin } from "../../../src/engine/begin.ts";
import { effectsOf } from "../../../src/engine/move-effects.ts";
import { placeOf, type Run } from "../../../src/engine/run.ts";
import { differenceOf, standingAfter, withStanding } from "../../../src/engine/standing.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Move } from "../../../src/graph/move.ts";
import type { Instance } from "../../../src/graph/observation.ts";
import { graphOf, INSTANCES, NEW, OLD } from "./graph.ts";

/** A run whose first move admits one of four in tokyo, where new instances take the places of old ones. */
function opened(): { readonly run: Run; readonly admit: Move } {
  const graph = graphOf({ migrate: false });
  const { gateway } = graph.components;
  const found = graph.moves.find((move) => move.kind === "admit");
  if (gateway?.kind !== "workload" || found?.kind !== "admit") throw new Error("the plan admits no gateway");
  const admit: Move = { ...found, keep: INSTANCES - 1 };
  const inPlace: Graph = {
    ...graph,
    components: { ...graph.components, gateway: { ...gateway, isInPlace: true } },
    moves: [admit],
  };
  const { run } = begin({
    kind: "opened",
    run: "r",
    graph: inPlace,
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "0",
    epoch: 1,
  });
  const state = { region: "tokyo", instances: instancesOf(OLD, INSTANCES) };
  return { run: { ...run, before: { ...run.before, workloads: { [placeOf("gateway", "tokyo")]: state } } }, admit };
}

const instancesOf = (release: typeof OLD, count: number): readonly Instance[] =>
  Array.from({ length: count }, (_, index) => ({
    ...release,
    id: `${release.release}-${index + 1}`,
    ordinal: index + 1,
    ready: true,
    weightPct: 100,
  }));

test("who comes and who goes are one change of shape, because neither is possible alone", () => {
  const { run, admit } = opened();
  expect(effectsOf(run, admit)).toMatchObject([
    {
      kind: "shape",
      region: "tokyo",
      shape: {
        releases: [
          { ...OLD, count: INSTANCES - 1 },
          { ...NEW, count: 1 },
        ],
      },
    },
  ]);
});

test("a place that changed hands is the new release's, in traffic, and what stands there is no difference", () => {
  const { run, admit } = opened();
  const standing = standingAfter(run, admit, "tokyo");
  expect(standing).toEqual({ old: INSTANCES - 1, fresh: 1, admitted: 1 });
  const replaced = withStanding(run, "gateway", "tokyo", standing);
  const instances = [...instancesOf(OLD, INSTANCES - 1), ...instancesOf(NEW, 1)];
  expect(differenceOf(replaced, "gateway", { region: "tokyo", instances })).toBeUndefined();
  expect(differenceOf(replaced, "gateway", { region: "tokyo", instances: instances.slice(0, -1) })).toMatchObject({
    kind: "lost",
  });
});
