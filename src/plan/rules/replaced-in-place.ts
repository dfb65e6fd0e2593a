import { isInPlace } from "../in-place.ts";
import type { EnvironmentComponent } from "../model.ts";
import { inPlan, stepsOf } from "./rule.ts";

/** Where a new instance takes the place of an old one, there is no surplus, and a plan says so: whoever reads it sees that capacity falls. */
export const replacedInPlace = inPlan((plan, environment) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const placed = environment.components[step.component];
    if (placed === undefined || !isInPlace(placed)) return [];
    return step.waves.flatMap(({ surge }, at) =>
      surge === 0
        ? []
        : [
            {
              code: "DRIVER_CANNOT",
              message: `${whyNoSurplus(placed)}, so ${step.component} has no surge`,
              path: ["steps", index, "waves", at, "surge"],
              hint: `write \`surge: 0\`, and under \`components\` the \`floor\` that ${step.component} may fall to meanwhile`,
            },
          ],
    );
  }),
);

function whyNoSurplus(placed: EnvironmentComponent): string {
  const kind = placed.driver === "kubernetes" ? placed.object.kind : undefined;
  switch (kind) {
    case "StatefulSet":
      return "a StatefulSet's next pod takes the place of the one before it";
    case "DaemonSet":
      return "a DaemonSet has one pod on each node";
    case "Deployment":
    case undefined:
      return "a new instance takes the place of an old one";
  }
}
