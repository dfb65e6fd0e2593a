import { expect, test } from "vitest";
import { causeOf } from "../../../src/engine/move-effects.ts";
import { canonicalJson, graphFingerprint, planFingerprint } from "../../../src/graph/fingerprint.ts";
import { graphOf } from "../engine/graph.ts";

const sha = (text: string) => `${text.length}:${text}`;

test("a roll becomes start, prove, admit and retire for every batch, region by region", () => {
  const ids = graphOf().moves.map((move) => move.id);
  expect(ids.slice(0, 6)).toEqual([
    "1-migrate-db-expand",
    "2-roll-gateway/wave-1/batch-1/start",
    "2-roll-gateway/wave-1/batch-1/prove",
    "2-roll-gateway/wave-1/batch-1/admit",
    "2-roll-gateway/wave-1/batch-1/retire",
    "2-roll-gateway/wave-1/batch-2/start",
  ]);
  expect(new Set(ids).size).toBe(ids.length);
});

test("the second wave takes the regions that no wave named, in batches of its own", () => {
  const second = graphOf().moves.filter((move) => move.id.includes("wave-2") && move.kind === "admit");
  expect(second.map((move) => (move.kind === "admit" ? [move.regions, move.fresh, move.keep] : []))).toEqual([
    [["frankfurt"], 2, 4],
    [["frankfurt"], 4, 2],
  ]);
});

test("the guard is told of new instances as what they are: met by users, or behind those that are", () => {
  const graph = graphOf();
  const admit = graph.moves.find((move) => move.kind === "admit");
  const gateway = graph.components["gateway"];
  if (admit === undefined || gateway?.kind !== "workload") throw new Error("the plan admits no gateway");
  expect(gateway.isBehind).toBeUndefined();
  expect(causeOf(graph, admit)).toEqual({ kind: "instances", component: "gateway", regions: ["tokyo"] });
  const behind = { ...graph, components: { ...graph.components, gateway: { ...gateway, isBehind: true as const } } };
  expect(causeOf(behind, admit)).toEqual({
    kind: "behind",
    component: "gateway",
    what: "new instances of gateway",
  });
});

test("the same plan and environment always give the same fingerprint, another target another one", () => {
  expect(graphFingerprint(graphOf(), sha)).toBe(graphFingerprint(graphOf(), sha));
  expect(graphFingerprint(graphOf({ contract: true }), sha)).not.toBe(graphFingerprint(graphOf(), sha));
});

test("canonical JSON does not depend on the order of keys, and leaves undefined out", () => {
  expect(canonicalJson({ b: 1, a: [{ d: 1, c: undefined }] })).toBe('{"a":[{"d":1}],"b":1}');
});

test("the plan's fingerprint depends on every byte and name, not on the order of files", () => {
  const files = [
    { name: "plan.yaml", text: "a" },
    { name: "releases.yaml", text: "b" },
  ];
  expect(planFingerprint(files, sha)).toBe(planFingerprint(files.toReversed(), sha));
  expect(planFingerprint(files, sha)).not.toBe(
    planFingerprint(
      [
        { name: "plan.yaml", text: "ab" },
        { name: "releases.yaml", text: "" },
      ],
      sha,
    ),
  );
});
