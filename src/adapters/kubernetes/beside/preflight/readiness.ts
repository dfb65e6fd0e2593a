import { graceOf, releaseContainer, type Check } from "./scene.ts";

/** What Kubernetes takes where a probe states nothing. */
const PERIOD_S = 10;
const FAILURES = 3;

/** Without a probe, ready means started; with a slow one, a pod that no longer answers keeps its users for long. */
export const readiness: Check = (scene) => {
  const { readinessProbe } = releaseContainer(scene) ?? {};
  if (readinessProbe === undefined)
    return [
      `container ${scene.container} has no readiness probe, so a pod gets users as soon as it runs, whether it can serve them or not: give it one`,
    ];
  const { periodSeconds = PERIOD_S, failureThreshold = FAILURES } = readinessProbe;
  const noticedS = periodSeconds * failureThreshold;
  const graceS = graceOf(scene);
  // One that is killed at once does not drain at all, and that is told elsewhere.
  return graceS > 0 && noticedS > graceS
    ? [
        `a pod that does not answer any more keeps its users for ${noticedS} s (readiness period ${periodSeconds} s, ${failureThreshold} failures), longer than its termination grace of ${graceS} s: a pod that drains by failing its probe is killed before anybody noticed; probe more often`,
      ]
    : [];
};
