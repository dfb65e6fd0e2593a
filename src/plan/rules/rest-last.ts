import type { Wave } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import { stepsOf, type PlanRule } from "./rule.ts";

/** `rest` is what no wave before it named, so nothing may come after it; and a region is in one wave. */
export const restLast: PlanRule = (plan) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => [
    ...restTooEarly(step.waves, index),
    ...regionTwice(step.waves, index),
  ]);

const restTooEarly = (waves: readonly Wave[], index: number): readonly Complaint[] =>
  waves.flatMap((wave, at) =>
    wave.regions === "rest" && at < waves.length - 1
      ? [
          {
            code: "REST_NOT_LAST",
            message: "`rest` takes all regions that are left, but more waves follow",
            path: ["steps", index, "waves", at, "regions"],
            hint: "make it the last wave, or name the regions",
          },
        ]
      : [],
  );

function regionTwice(waves: readonly Wave[], index: number): readonly Complaint[] {
  const seen = new Set<string>();
  return waves.flatMap((wave, at) => {
    if (wave.regions === "rest") return [];
    const again = wave.regions.flatMap((region, item) =>
      seen.has(region)
        ? [
            {
              code: "REGION_TWICE",
              message: `${region} is in an earlier wave already`,
              path: ["steps", index, "waves", at, "regions", item],
              hint: "name each region in one wave",
            },
          ]
        : [],
    );
    for (const region of wave.regions) seen.add(region);
    return again;
  });
}
