import { inPlan, stepsOf } from "./rule.ts";

/** A Job is made somewhere. */
export const jobsPlaced = inPlan((plan, environment) =>
  environment.jobs !== undefined
    ? []
    : stepsOf(plan, "run").flatMap(({ step, index }) =>
        step.job === undefined
          ? []
          : [
              {
                code: "JOBS_UNPLACED",
                message: `${environment.file} does not say where the Job of ${step.job.manifest} is made`,
                path: ["steps", index, "run", "job"],
                at: "key" as const,
                hint: `add jobs: { context: …, namespace: … } to ${environment.file}`,
              },
            ],
      ),
);
