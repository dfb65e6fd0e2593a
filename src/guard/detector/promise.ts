/**
 * The promise of few false alarms, in seconds. Half of it pays for the time that passes, the other half for `STEPS_PAID` steps within it:
 * a step is the likeliest moment of harm, so suspicion concentrates there.
 */
export type Promised = {
  /** Evidence at which an alarm is raised. */
  readonly alarm: number;
  /** Extra mass of one step. */
  readonly stepMass: number;
};

/** `falseAlarmEverySec`: mean time between false alarms that is promised. */
export const promisedBy = (falseAlarmEverySec: number): Promised => ({
  alarm: 2 * falseAlarmEverySec,
  stepMass: falseAlarmEverySec / STEPS_PAID,
});

/** Steps within one promised period that extra mass is injected for; the next ones get none. */
export const STEPS_PAID = 200;

/** Mass that a step has brought `sinceMs` after it: half at once, half evenly over the next 30 s, for faults that take their time. */
export const massSince = (stepMass: number, sinceMs: number): number =>
  sinceMs >= 0 ? stepMass * (0.5 + 0.5 * Math.min(1, sinceMs / SPREAD_MS)) : 0;
const SPREAD_MS = 30_000;

/** Written so that NaN raises the alarm instead of sleeping. */
export const isAlarm = (evidence: number, { alarm }: Promised): boolean => !(evidence < alarm);
