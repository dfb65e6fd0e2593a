import { expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph.ts";
import { withSoaksAtMost } from "../../../src/graph/shorten-soaks.ts";
import { graphOf } from "../engine/graph.ts";

const soaksOf = ({ moves }: Graph) => moves.flatMap((move) => (move.kind === "soak" ? [[move.ms, move.title]] : []));
const others = ({ moves }: Graph) => moves.filter(({ kind }) => kind !== "soak");

test("no soak is longer than that, a shorter one stays as it is, and nothing else is another one", () => {
  const graph = graphOf();
  const whole = Number(soaksOf(graph)[0]?.[0]);
  expect(whole).toBe(1_000);
  const short = withSoaksAtMost(graph, 500);
  expect(soaksOf(short)).toEqual(soaksOf(graph).map(() => [500, "soak 500ms of 1s"]));
  expect(others(short)).toEqual(others(graph));
  expect(short.moves.map(({ id }) => id)).toEqual(graph.moves.map(({ id }) => id));
  expect(withSoaksAtMost(graph, whole)).toEqual(graph);
  expect(soaksOf(withSoaksAtMost(graph, 0)).map(([ms]) => ms)).toEqual(soaksOf(graph).map(() => 0));
});
