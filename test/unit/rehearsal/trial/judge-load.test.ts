import { expect, test } from "vitest";
import { judgeLoad } from "../../../../src/rehearsal/trial/judge-load.ts";
import type { TriedLoad } from "../../../../src/rehearsal/trial/result.ts";

const load: TriedLoad = {
  step: "0/migrate",
  direction: "up",
  names: ["0001_x"],
  releases: ["gateway@1.0"],
  calls: 200,
  failed: 0,
  worstMs: 90,
  failures: [],
  idleFailed: 0,
  idleCalls: 100,
  migrationMs: 900,
  tries: 3,
  waitedFor: [],
};
const late = { query: "amend", reason: "canceling statement due to statement timeout (57014)", calls: 3 };
const refused = { query: "place", reason: "no (23514)", calls: 2 };
const stale = { query: "list", reason: "cached plan must not change result type (0A000)", calls: 4 };

test.each<{ name: string; given: Partial<TriedLoad>; says: readonly string[] }>([
  { name: "no failed call is no finding", given: {}, says: [] },
  { name: "late calls refuse", given: { failed: 3, failures: [late] }, says: ["order-load-failed"] },
  {
    name: "late calls on a machine that is late itself prove nothing",
    given: { failed: 3, failures: [late], idleFailed: 1 },
    says: ["order-load-unproven"],
  },
  {
    name: "a refused call is no matter of time",
    given: { failed: 2, failures: [refused], idleFailed: 1 },
    says: ["order-load-failed"],
  },
  { name: "sessions that cannot go on", given: { failed: 4, failures: [stale] }, says: ["result-shape-changed"] },
  { name: "a migration that does not land", given: { failure: "locked" }, says: ["order-load-stuck"] },
])("$name", ({ given, says }) => {
  const found = judgeLoad({ ...load, ...given }, "0001_x.up.sql");
  expect(found.map(({ rule }) => rule)).toEqual(says);
  expect(found.every(({ severity }) => severity === "block")).toBe(true);
});
