import { describe, expect, test } from "vitest";
import type { Move } from "../../../../src/graph/move.ts";
import { rolloutOf } from "../../../../src/rehearsal/trial/rollout.ts";
import { graphOf, migrateMove, rollMoves } from "../../../support/trial-graph.ts";

const roll = rollMoves(1, "gateway", ["tokyo", "frankfurt"]);
const served = (moves: readonly Move[], pending: readonly string[]): readonly string[] =>
  rolloutOf(graphOf(moves), "store", ["gateway"], pending).live.map((live) => live.map(({ side }) => side).join("+"));

describe("each state of the metadata is asked by whoever is served in it", () => {
  test.each([
    {
      name: "expand, then the roll",
      moves: [migrateMove(0, ["a"]), ...roll],
      pending: ["a"],
      live: ["old", "old+new"],
    },
    {
      name: "expand, roll, contract",
      moves: [migrateMove(0, ["a"]), ...roll, migrateMove(2, ["b"])],
      pending: ["a", "b"],
      live: ["old", "old+new", "new"],
    },
    {
      name: "contract while a region still runs the old release",
      moves: [...roll.slice(0, 3), migrateMove(2, ["a"]), ...roll.slice(3)],
      pending: ["a"],
      live: ["old+new", "old+new"],
    },
    {
      name: "two files of one step: between them only who is there already",
      moves: [migrateMove(0, ["a", "b"]), ...roll],
      pending: ["a", "b"],
      live: ["old", "old", "old+new"],
    },
    { name: "nobody is rolled", moves: [migrateMove(0, ["a"])], pending: ["a"], live: ["old", "old"] },
    { name: "demo has the first already", moves: [migrateMove(0, ["a", "b"])], pending: ["b"], live: ["old", "old"] },
    { name: "another store's migration", moves: roll, pending: ["a"], live: ["old+new"] },
  ])("$name", ({ moves, pending, live }) => {
    expect(served(moves, pending)).toEqual(live);
  });
});

test("a step that cannot be taken back says so", () => {
  const { steps } = rolloutOf(graphOf([migrateMove(0, ["a"], { irreversible: true })]), "store", [], ["a"]);
  expect(steps).toEqual([{ migration: "a", step: "0/migrate", irreversible: true }]);
});
