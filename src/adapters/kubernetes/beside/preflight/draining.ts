import { graceOf, releaseContainer, type Check } from "./scene.ts";

/** Whether a pod that is told to go can finish what it was asked. It drains as its own preStop hook and termination grace say, whatever the plan says. */
export const draining: Check = (scene) => {
  const graceS = graceOf(scene);
  if (graceS === 0)
    return [
      "its pods are killed the moment they are told to go (terminationGracePeriodSeconds: 0), with every request under way: give them some seconds",
    ];
  return [...hookless(scene), ...sleepless(scene), ...shorterThanPlanned(scene)];
};

const hookless: Check = (scene) =>
  releaseContainer(scene)?.lifecycle?.preStop === undefined
    ? [
        "its pods have no preStop hook: unless the program itself goes on answering for some seconds after SIGTERM, requests are lost while proxies still send them; let a preStop hook sleep for 5 s",
      ]
    : [];

/** The hook counts against the grace. */
const sleepless: Check = (scene) => {
  const sleepS = releaseContainer(scene)?.lifecycle?.preStop?.sleep?.seconds;
  const graceS = graceOf(scene);
  return sleepS !== undefined && sleepS >= graceS
    ? [
        `its preStop hook sleeps for ${sleepS} s, and the termination grace is ${graceS} s: the program gets no time to end; make the grace longer`,
      ]
    : [];
};

const shorterThanPlanned: Check = (scene) => {
  const { drain } = scene.intent;
  if (drain === undefined) return [];
  const plannedS = (drain.noticeMs + drain.deadlineMs) / 1_000;
  const graceS = graceOf(scene);
  return graceS < plannedS
    ? [
        `its pods are killed ${graceS} s after they are told to go, and the plan means them to drain for up to ${plannedS} s: make terminationGracePeriodSeconds ${Math.ceil(plannedS)}, or the plan's \`drain\` shorter`,
      ]
    : [];
};
