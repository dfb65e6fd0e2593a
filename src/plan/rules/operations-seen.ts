import { liveCovers } from "../live-covers.ts";
import { inPlan } from "./rule.ts";

/** Each operation that the plan watches is probed, or counted by a live source, in each region. Regions without both break another rule. */
export const operationsSeen = inPlan((plan, environment) => {
  const covers = liveCovers(environment);
  return Object.entries(environment.regions).flatMap(([region, { probe }]) => {
    const here = covers.filter(({ regions }) => regions.includes(region));
    if (probe !== undefined || here.length === 0) return [];
    return plan.guard.operations.flatMap((operation, index) =>
      here.some(({ operations }) => operations.includes(operation))
        ? []
        : [
            {
              code: "GUARD_BLIND",
              message: `nobody tells the guard of ${operation} in ${region}: there is no probe, and no source counts it`,
              path: ["guard", "operations", index],
              hint: `add a probe to ${region}, or a source that counts ${operation}, in ${environment.file}`,
            },
          ],
    );
  });
});
