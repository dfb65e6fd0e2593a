import { expect, test } from "vitest";
import { DrillLog } from "../../../src/cli/rehearsal/drill-log.ts";
import type { Run } from "../../../src/engine/run.ts";
import type { RunEvent } from "../../../src/events/event.ts";
import { wholeWalk } from "../../../src/rehearsal/drills-of.ts";

const RUN = { id: "r", phase: { kind: "ended", outcome: "undone", text: "back" } } as unknown as Run;
const event = (kind: RunEvent["kind"], more: Partial<RunEvent> = {}): RunEvent => ({ kind, ...more }) as RunEvent;
const heldAfter = (log: DrillLog): readonly string[] => log.told(RUN, 1).heldAfter;

test("a run answers an outage by a hold while it lasts, whatever it did since, and by none before or after it", () => {
  const log = new DrillLog(wholeWalk);
  log.heed(event("held"));
  const answered = log.outage("admit");
  expect(answered.aborted).toBe(false);
  log.heed(event("move-done", { move: "retire" }));
  log.heed(event("held"));
  expect([answered.aborted, heldAfter(log)]).toEqual([true, ["admit"]]);
  log.outageOver("admit");
  const next = log.outage("admit in the next wave");
  log.outageOver("admit in the next wave");
  log.heed(event("held"));
  expect([next.aborted, heldAfter(log)]).toEqual([false, ["admit"]]);
});

test.each(["ended", "halted"] as const)("a run that %s answers nothing more, and is not waited for", (kind) => {
  const log = new DrillLog(wholeWalk);
  const answered = log.outage("admit");
  log.heed(event(kind));
  expect([answered.aborted, heldAfter(log)]).toEqual([true, []]);
});
