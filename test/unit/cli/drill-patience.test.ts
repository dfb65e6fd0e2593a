import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { patienceWith } from "../../../src/cli/rehearsal/patience.ts";
import type { RunEvent } from "../../../src/events/event.ts";
import { ENVIRONMENT } from "../../simulation/scenario.ts";
import { graphOf } from "../engine/graph.ts";

const STILL_MS = 150_000;
const graph = graphOf({ migrate: false });
const soak = graph.moves.find(({ kind }) => kind === "soak");
const admit = graph.moves.find(({ kind }) => kind === "admit");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A drill in an environment whose slowest instances may take so long to get ready. */
function drill(readyDeadlineMs = 0, plan = graph) {
  const ended: string[] = [];
  const components = Object.fromEntries(
    Object.entries(ENVIRONMENT.components).map(([name, one]) => [
      name,
      "readyDeadlineMs" in one ? { ...one, readyDeadlineMs } : one,
    ]),
  );
  const patience = patienceWith({ graph: plan, environment: { ...ENVIRONMENT, components } }, systemClock, (why) =>
    ended.push(why),
  );
  const happens = (event: Partial<RunEvent>): void => patience.heed(event as RunEvent);
  return { ended, patience, happens };
}

describe("patience with a drill", () => {
  test("ends when nothing comes of it, and is told once, with the time", async () => {
    const { ended } = drill();
    await vi.advanceTimersByTimeAsync(STILL_MS - 1);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(1 + 10 * STILL_MS);
    expect(ended).toEqual(["it got no further within 150 s"]);
  });

  test("counts from what the run did last, however long the drill lasts", async () => {
    const { ended, happens } = drill();
    for (let turn = 0; turn < 20; turn += 1) {
      await vi.advanceTimersByTimeAsync(STILL_MS - 1);
      happens({ kind: "undo-step" });
    }
    expect(ended).toEqual([]);
  });

  test("is not prolonged by what is said all the time", async () => {
    const { ended, happens } = drill();
    for (let turn = 0; turn < 3; turn += 1) {
      await vi.advanceTimersByTimeAsync(STILL_MS / 3);
      happens({ kind: "pulse" });
      happens({ kind: "verdict" });
      happens({ kind: "gate-waiting" });
    }
    expect(ended).toHaveLength(1);
  });

  test("lasts as long as a soak, and as the engine gives a move", async () => {
    for (const [move, ms] of [
      [soak, soak?.kind === "soak" ? soak.ms : 0],
      [admit, admit?.deadlineMs ?? 0],
    ] as const) {
      expect(ms).toBeGreaterThan(0);
      const { ended, happens } = drill();
      happens({ kind: "move-started", move: move?.id ?? "" });
      await vi.advanceTimersByTimeAsync(STILL_MS + ms - 1);
      expect(ended).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(ended).toHaveLength(1);
    }
  });

  test("grants instances the time that the environment gives them to get ready", async () => {
    const { ended, happens } = drill(600_000);
    happens({ kind: "tripped" });
    await vi.advanceTimersByTimeAsync(STILL_MS + 599_999);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(["it got no further within 750 s"]);
  });

  test("is over with the drill", async () => {
    const { ended, patience } = drill();
    patience.end();
    await vi.advanceTimersByTimeAsync(10 * STILL_MS);
    expect(ended).toEqual([]);
  });
});
