import { describe, expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph.ts";
import type { PlanStep } from "../../../src/plan/model.ts";
import { drillsOfPairs, pairsOf } from "../../../src/rehearsal/pairs-of.ts";
import type { DrillRun, Standing } from "../../../src/rehearsal/stage.ts";
import { BOTH, graphOfTwo, roll } from "./two-components.ts";

const BEFORE: Standing = {
  metadata: {},
  workloads: Object.fromEntries(
    ["engine", "gateway"].flatMap((component) =>
      BOTH.map((region) => [
        `${component}/${region}`,
        {
          region,
          instances: [
            { id: "a", release: `${component}@1.0`, digest: "sha256:o", ordinal: 1, ready: true, weightPct: 100 },
          ],
        },
      ]),
    ),
  ),
};

const pairText = (graph: Graph): readonly string[] => [
  ...new Set(pairsOf(graph).map(({ caller, called }) => `${caller.side} ${called.side} in ${caller.region}`)),
];
const runWith = (moves: readonly string[]): DrillRun => ({
  run: "r",
  outcome: "promoted",
  text: "",
  moves: [],
  evidence: moves.map((move) => ({ move, reason: "healthy" })),
  dark: [],
  heldAfter: [],
  hasStruck: true,
  ms: 1,
});
/** Evidence before every move and at the end, as a walk that nothing happened to. */
const everywhere = (graph: Graph) => [...graph.moves.map(({ id }) => id), "end"];

describe("the pairs that a rollout passes through", () => {
  test("one component after the other: never an old one called by a new one that went last", () => {
    const engineFirst = graphOfTwo([roll("engine", BOTH), roll("gateway", BOTH)]);
    expect(pairText(engineFirst).filter((text) => text.endsWith("tokyo"))).toEqual([
      "old old in tokyo",
      "old new in tokyo",
      "new new in tokyo",
    ]);
    const gatewayFirst = graphOfTwo([roll("gateway", BOTH), roll("engine", BOTH)]);
    expect(pairText(gatewayFirst).filter((text) => text.endsWith("tokyo"))).toEqual([
      "old old in tokyo",
      "new old in tokyo",
      "new new in tokyo",
    ]);
  });

  test("half of one, then the other, then the rest: all four", () => {
    const graph = graphOfTwo([
      { ...roll("gateway", ["tokyo"]), waves: [{ regions: ["tokyo"], batch: 2, surge: 2, soakMs: 0 }] },
      roll("engine", BOTH),
    ]);
    // Between admit and retire both releases of the gateway serve.
    expect(pairText(graph).filter((text) => text.endsWith("frankfurt"))).toEqual([
      "old old in frankfurt",
      "old new in frankfurt",
    ]);
    expect(pairText(graph)).toContain("new old in tokyo");
  });

  test("components that share no region meet wherever they are", () => {
    const graph = graphOfTwo([roll("engine", ["tokyo"])], ["tokyo"]);
    const only = { ...graph.components["gateway"]!, regions: ["frankfurt"] };
    const apart = { ...graph, components: { ...graph.components, gateway: only } } as Graph;
    expect(pairsOf(apart).map(({ caller, called }) => [caller.region, called.region, called.side])).toEqual([
      ["frankfurt", "tokyo", "old"],
      ["frankfurt", "tokyo", "new"],
    ]);
  });

  test("a share of the users is enough to be met", () => {
    const shift = (toPct: number): PlanStep => ({
      kind: "shift",
      component: "gateway",
      toPct,
      regions: ["tokyo"],
      soakMs: 0,
      deadlineMs: 1,
      retries: 0,
    });
    const graph = graphOfTwo([shift(10), shift(100)]);
    const tokyo = pairsOf(graph).filter(({ caller }) => caller.region === "tokyo");
    expect(tokyo.map(({ caller, after }) => [caller.side, after])).toEqual([
      ["old", [0, 1]],
      ["new", [1, 2]],
    ]);
  });

  test("components that need no other one are no pair", () => {
    const graph = graphOfTwo([roll("engine", BOTH)]);
    const alone = { ...graph.components["gateway"]!, needs: [] };
    expect(pairsOf({ ...graph, components: { ...graph.components, gateway: alone } })).toEqual([]);
  });
});

describe("the drill of a pair", () => {
  const graph = graphOfTwo([roll("engine", ["tokyo"], ["frankfurt"]), roll("gateway", BOTH)]);

  test("passes for every pair of a walk whose guard showed health before each move and at its end", () => {
    const drills = drillsOfPairs(graph, BEFORE, [runWith(everywhere(graph))]);
    expect(drills.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["pair gateway@1.0 with engine@1.0", "passed"],
      ["pair gateway@1.0 with engine@2.0", "passed"],
      ["pair gateway@2.0 with engine@2.0", "passed"],
    ]);
    expect(drills[1]?.detail).toBe("tokyo: healthy\nfrankfurt: healthy");
  });

  test("fails where the guard was not heard while the two stood together, and names the region", () => {
    const upTo = graph.moves.findIndex(({ id }) => id.includes("wave-2"));
    const drills = drillsOfPairs(graph, BEFORE, [runWith(everywhere(graph).slice(0, upTo))]);
    expect(drills.map(({ outcome }) => outcome)).toEqual(["passed", "failed", "failed"]);
    expect(drills[1]?.detail).toBe("the walk never showed health while they stood together in frankfurt");
  });

  test("is proved by whichever run of the walk came that far", () => {
    const all = everywhere(graph);
    const halves = [all.slice(0, 9), all.slice(9)].map((part) => runWith(part));
    expect(drillsOfPairs(graph, BEFORE, halves).every(({ outcome }) => outcome === "passed")).toBe(true);
  });
});
