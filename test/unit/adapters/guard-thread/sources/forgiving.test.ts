import { expect, test } from "vitest";
import { startForgiving, type Attributed } from "../../../../../src/adapters/guard-thread/sources/forgiving.ts";
import { sumCounts } from "../../../../../src/adapters/guard-thread/sources/sum-counts.ts";
import type { WatchedInstance } from "../../../../../src/ports/watcher.ts";

const LEAVING: WatchedInstance = {
  id: "tokyo-1",
  component: "gateway",
  region: "tokyo",
  release: "gateway@1.0",
  side: "old",
  url: "http://10.0.0.1:80",
  inTraffic: true,
};
const failed = (count: number, more: Partial<Attributed> = {}): Attributed => ({
  operation: "amend",
  code: "50001",
  cohort: "everyone",
  outcome: "failed",
  refusal: "none",
  count,
  place: { region: "tokyo", release: "gateway@1.0", side: "old" },
  ...more,
});
const failures = (deltas: readonly Attributed[]): number =>
  sumCounts(deltas).reduce((sum, count) => sum + count.failed, 0);

test("a failure that a leaving instance owed a probe is no user's, once, and for a time", () => {
  let now = 0;
  const forgiving = startForgiving(() => now);
  forgiving.forgive(LEAVING, "amend", "50001");
  expect(failures(forgiving.settle([failed(3, { code: "50026" })]))).toBe(3);
  expect(failures(forgiving.settle([failed(3, { instance: "tokyo-2" })]))).toBe(3);
  expect(failures(forgiving.settle([failed(3, { instance: "tokyo-1" })]))).toBe(2);
  expect(failures(forgiving.settle([failed(3, { instance: "tokyo-1" })]))).toBe(3);
  forgiving.forgive(LEAVING, "amend", "50001");
  expect(failures(forgiving.settle([failed(1)]))).toBe(0);
  forgiving.forgive(LEAVING, "amend", "50001");
  now = 200_000;
  forgiving.settle([]);
  expect(failures(forgiving.settle([failed(1)]))).toBe(1);
});
