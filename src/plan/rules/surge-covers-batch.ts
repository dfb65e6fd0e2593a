import { stepsOf, type PlanRule } from "./rule.ts";

/** New instances come up all beside the old ones, or all in their place. Half of each would be neither. */
export const surgeCoversBatch: PlanRule = (plan) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) =>
    step.waves.flatMap(({ batch, surge }, at) =>
      surge === 0 || surge >= batch
        ? []
        : [
            {
              code: "SURGE_TOO_SMALL",
              message: `surge ${surge} is less than batch ${batch}`,
              path: ["steps", index, "waves", at, "surge"],
              hint: `make it ${batch}, or 0 to stop the old ones first`,
            },
          ],
    ),
  );
