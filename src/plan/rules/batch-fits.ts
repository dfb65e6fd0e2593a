import { instancesOf } from "../instances-of.ts";
import { inPlan, stepsOf } from "./rule.ts";

/** No more are replaced together than there are. */
export const batchFits = inPlan((plan, environment) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const placed = environment.components[step.component];
    const instances = instancesOf(placed);
    return step.waves.flatMap(({ batch }, at) =>
      instances === undefined || batch <= instances
        ? []
        : [
            {
              code: "BATCH_TOO_LARGE",
              message: `batch ${batch} is more than the ${instances} ${instances === 1 ? "instance" : "instances"} of ${step.component} in a region of ${environment.name}`,
              path: ["steps", index, "waves", at, "batch"],
              hint: `make it at most ${instances}`,
            },
          ],
    );
  }),
);
