import { durationText } from "../duration.ts";
import { stepsOf, type PlanRule } from "./rule.ts";

/** Retiring takes the whole drain: a shorter deadline would break it off every time. */
export const deadlineFitsDrain: PlanRule = (plan) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const drainMs = step.drain.noticeMs + step.drain.deadlineMs;
    if (step.deadlineMs > drainMs) return [];
    return [
      {
        code: "DEADLINE_TOO_SHORT",
        message: `draining may take ${durationText(drainMs)}, and this step gives each move ${durationText(step.deadlineMs)}`,
        path: ["steps", index, "deadline"],
        hint: `make the deadline longer than ${durationText(drainMs)}`,
      },
    ];
  });
