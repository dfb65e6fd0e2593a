import { isEntry } from "../entry.ts";
import { liveCovers } from "../live-covers.ts";
import { regionsOf } from "../regions-of.ts";
import { inPlan, stepsOf } from "./rule.ts";

/** No user reaches an instance in the dark, so only probes can prove it. Regions that nobody sees at all break another rule. */
export const proofProbed = inPlan((plan, environment) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const placed = environment.components[step.component];
    if (step.dark === undefined || placed === undefined || !isEntry(placed)) return [];
    const covered = liveCovers(environment).flatMap(({ regions }) => regions);
    return regionsOf(environment, placed)
      .filter((region) => covered.includes(region))
      .filter(
        (region) => Object.hasOwn(environment.regions, region) && environment.regions[region]?.probe === undefined,
      )
      .map((region) => ({
        code: "PROOF_IMPOSSIBLE",
        message: `${region} has no probe, so nothing can be proved there before users reach it`,
        path: ["steps", index, "roll"],
        hint: `add a probe to ${region} in ${environment.file}, or write \`dark: none\`, so that readers see it`,
      }));
  }),
);
