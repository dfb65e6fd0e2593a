import { expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph.ts";
import { matchGraphs } from "../../../src/rehearsal/match-graphs.ts";
import { graphOf } from "../engine/graph.ts";

const production: Graph = { ...graphOf({ contract: true }), environment: "production", class: "production" };
const demo: Graph = { ...production, environment: "demo", class: "demo" };
const withGateway = (graph: Graph, change: object): Graph => ({
  ...graph,
  components: { ...graph.components, gateway: { ...graph.components["gateway"]!, ...change } },
});

test("the same plan in both is alike", () => {
  expect(matchGraphs(demo, production)).toEqual({ differences: [], scaled: [] });
});

test("fewer instances with fewer batches are stated, and no difference", () => {
  const moves = demo.moves.filter(({ id }) => !id.includes("/batch-2/"));
  const small = { ...withGateway(demo, { instances: 1 }), moves };
  const match = matchGraphs(small, production);
  expect(match.differences).toEqual([]);
  expect(match.scaled.join()).toMatch(/gateway: 1 instances per region in demo, \d+ in production/);
});

test("an approval that only production asks for is stated", () => {
  const step = Math.max(...production.moves.map((move) => move.step)) + 1;
  const asking: Graph = {
    ...production,
    moves: [
      ...production.moves,
      { id: "9-approve", step, title: "approval", deadlineMs: 0, retries: 0, kind: "approve", who: "ops" },
    ],
  };
  expect(matchGraphs(demo, asking)).toMatchObject({ differences: [], scaled: [expect.stringContaining("approval")] });
});

test.each<{ readonly name: string; readonly change: (graph: Graph) => Graph }>([
  {
    name: "another digest",
    change: (graph) => withGateway(graph, { target: { release: "gateway@2.0", digest: "x" } }),
  },
  { name: "another floor", change: (graph) => withGateway(graph, { floorPct: 1 }) },
  { name: "an entry that is none", change: (graph) => withGateway(graph, { isBehind: true }) },
  { name: "another driver", change: (graph) => withGateway(graph, { driver: "command" }) },
  { name: "a region less", change: (graph) => withGateway(graph, { regions: ["tokyo"] }) },
  { name: "a step less", change: (graph) => ({ ...graph, moves: graph.moves.slice(1) }) },
  { name: "another guard", change: (graph) => ({ ...graph, guard: { ...graph.guard, probesPerSec: 1 } }) },
  { name: "a component less", change: (graph) => ({ ...graph, components: {} }) },
  {
    name: "no proof in the dark",
    change: (graph) => ({ ...graph, moves: graph.moves.filter(({ kind }) => kind !== "prove") }),
  },
])("$name is a difference", ({ change }) => {
  expect(matchGraphs(change(demo), production).differences.length).toBeGreaterThan(0);
});
