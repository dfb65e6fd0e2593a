import { describe, expect, test } from "vitest";
import { announcementsOf } from "../../../src/cli/run/announcements.ts";
import type { RunEvent } from "../../../src/events/event.ts";
import { graphOf } from "../engine/graph.ts";

const graph = graphOf({ instances: 4 });
const stem = { at: "2026-11-21T12:00:00.000Z", run: "r1", message: "a message" };
const told = (event: RunEvent) => announcementsOf(event, graph);
const lastOfBatch = graph.moves.filter(({ id }) => /\/batch-\d+\/retire$/.test(id));

test("that an upgrade began is told at every object that it changes, and at no other", () => {
  const [one, ...others] = told({ ...stem, kind: "before-recorded", components: ["db", "gateway"] });
  expect(one).toMatchObject({
    component: "gateway",
    regions: graph.regions,
    reason: "UpgradeBegan",
    isWarning: false,
    note: expect.stringContaining("midflight run r1"),
  });
  expect(others).toEqual([]);
});

describe("a batch", () => {
  test("is told once, with how many are new, in its own regions", () => {
    const all = graph.moves.flatMap(({ id }) => told({ ...stem, kind: "move-done", move: id, ms: 5 }));
    expect(all).toHaveLength(lastOfBatch.length);
    expect(all[0]).toMatchObject({
      component: "gateway",
      regions: ["tokyo"],
      reason: "BatchDone",
      note: expect.stringContaining("1 of 4 instances run"),
    });
  });

  test("that is only admitted is not done while old ones are still to go", () => {
    const admit = graph.moves.find(({ kind }) => kind === "admit");
    expect(told({ ...stem, kind: "move-done", move: admit?.id ?? "", ms: 5 })).toEqual([]);
  });
});

test("a withdrawal is a warning, in the regions where it happens alone", () => {
  expect(told({ ...stem, kind: "withdrawn", regions: ["frankfurt"] })).toMatchObject([
    { component: "gateway", regions: ["frankfurt"], reason: "Withdrawn", isWarning: true },
  ]);
  expect(told({ ...stem, kind: "withdrawn", regions: ["osaka"] })).toEqual([]);
});

test.each([
  { outcome: "promoted", reason: "Promoted", isWarning: false },
  { outcome: "undone", reason: "Undone", isWarning: true },
  { outcome: "backed-up", reason: "BackedUp", isWarning: true },
  { outcome: "stranded", reason: "Stranded", isWarning: true },
])("the end is told: $outcome", ({ outcome, reason, isWarning }) => {
  expect(told({ ...stem, kind: "ended", outcome })).toMatchObject([{ reason, isWarning }]);
});

test.each(["refused", "unchanged"])("a run that was %s never began, and nothing is told", (outcome) => {
  expect(told({ ...stem, kind: "ended", outcome })).toEqual([]);
});

test("a halt is told with its reason", () => {
  expect(told({ ...stem, kind: "halted", code: "FOREIGN_CHANGE", why: "somebody else" })).toMatchObject([
    { reason: "Halted", isWarning: true, note: expect.stringContaining("somebody else") },
  ]);
});
