import { isInPlace } from "../in-place.ts";
import { instancesOf } from "../instances-of.ts";
import { inPlan, stepsOf } from "./rule.ts";

/** Without surplus instances a batch is missing while it is replaced; what is left must be the floor at least. */
export const floorHolds = inPlan((plan, environment) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const placed = environment.components[step.component];
    const floorPct = plan.components[step.component]?.floorPct;
    const instances = instancesOf(placed);
    // What programs replace is one instance, and is gone while they do.
    if (placed?.driver === "command" || instances === undefined || floorPct === undefined) return [];
    return step.waves.flatMap(({ batch, surge }, at) => {
      const leftPct = ((instances - batch) / instances) * 100;
      if (surge > 0 || batch > instances || leftPct >= floorPct) return [];
      const message = `without surge, batch ${batch} of ${instances} leaves ${Math.floor(leftPct)}% of ${step.component} in a region, and its floor is ${floorPct}%`;
      return [
        {
          code: "FLOOR_BROKEN",
          message,
          path: ["steps", index, "waves", at, "surge"],
          hint: isInPlace(placed) ? hintInPlace(instances, floorPct, batch) : hintFor(instances, floorPct, batch),
        },
      ];
    });
  }),
);

function hintFor(instances: number, floorPct: number, batch: number): string {
  const most = mostTogether(instances, floorPct);
  return most > 0 ? `make surge ${batch}, or batch at most ${most}` : `make surge ${batch}`;
}

/** There is no surge, so that either fewer go together, or more may be missing. */
function hintInPlace(instances: number, floorPct: number, batch: number): string {
  const most = mostTogether(instances, floorPct);
  const floor = `write \`floor: ${Math.floor(((instances - batch) / instances) * 100)}%\` for it`;
  return most > 0 ? `make batch at most ${most}, or ${floor}` : floor;
}

const mostTogether = (instances: number, floorPct: number): number =>
  Math.floor(instances * (1 - floorPct / 100) + 1e-9);
