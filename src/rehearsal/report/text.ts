import { allowanceText } from "../allows-of.ts";
import type { Drill } from "../drill.ts";
import { awaitsSoak, isComplete, type Rehearsal } from "../rehearsal.ts";

/** One sentence: whether production may run this. */
export function verdictOf(rehearsal: Rehearsal): string {
  const [demo, production] = rehearsal.environments;
  const failed = rehearsal.drills.filter(({ outcome }) => outcome === "failed");
  const [first] = failed;
  if (first !== undefined)
    return `${rehearsal.plan} is refused for ${production}: ${failed.length === 1 ? "a drill" : `${failed.length} drills`} failed in ${demo}, first ${first.name} (${first.step}).`;
  if (isComplete(rehearsal)) return `${rehearsal.plan} is proved in ${demo} for ${production}.`;
  if (rehearsal.isQuick)
    return `Nothing speaks against ${rehearsal.plan}, but its steps were not walked: no certificate.`;
  return awaitsSoak(rehearsal)
    ? `Every drill passed; ${demo} has carried it for ${seconds(rehearsal.soak.healthyMs)} of ${seconds(rehearsal.soak.askedMs)}.`
    : `The rehearsal of ${rehearsal.plan} was not finished.`;
}

/** The end of a rehearsal in a terminal. */
export function summary(rehearsal: Rehearsal): string {
  const counts = (["passed", "failed", "skipped"] as const)
    .map((outcome) => [rehearsal.drills.filter((drill) => drill.outcome === outcome).length, outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => `${count} ${outcome}`);
  const failed = rehearsal.drills.filter(({ outcome }) => outcome === "failed").map((drill) => lineOf(drill));
  return [
    ...failed,
    `${counts.join(", ")} in ${seconds(rehearsal.endedAt - rehearsal.startedAt)}`,
    ...rehearsal.scaled.map((one) => `smaller than production: ${one}`),
    ...rehearsal.allows.map((one) => `allowed: ${allowanceText(one)}`),
    verdictOf(rehearsal),
  ].join("\n");
}

const SIGN: Readonly<Record<Drill["outcome"], string>> = { passed: "passed ", failed: "FAILED ", skipped: "skipped" };

export const lineOf = (drill: Drill): string =>
  `${SIGN[drill.outcome]} ${seconds(drill.ms).padStart(7)}  ${drill.name}${drill.outcome === "passed" ? "" : `\n                 ${drill.detail.replaceAll("\n", "\n                 ")}`}`;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
