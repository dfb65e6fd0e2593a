import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const CHURN = fileURLToPath(new URL("./processes/churn.ts", import.meta.url));

/** Of the first thread, and of one that it started. */
function mostMb(...how: readonly string[]): readonly number[] {
  const { stdout, stderr } = spawnSync(process.execPath, [CHURN, ...how], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split("\n").map(Number);
}

test("new objects take a bounded part of a conductor's memory, in its own thread and in the guard's", () => {
  const [own = Infinity, ofThread = Infinity] = mostMb("bounded");
  expect(own).toBeLessThan(9);
  expect(ofThread).toBeLessThan(6);
  // Left alone, the same work takes more.
  for (const mb of mostMb()) expect(mb).toBeGreaterThan(12);
});
