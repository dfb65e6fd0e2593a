import { suggest } from "../nearest.ts";
import { regionsWithout } from "../operations-of.ts";
import { inPlan } from "./rule.ts";

/** What the guard watches is tried in every region, or health could never be shown there. */
export const operationsProbed = inPlan((plan, environment) =>
  plan.guard.operations.flatMap((operation, index) => {
    const lacking = regionsWithout(environment, operation);
    const [first] = lacking;
    if (first === undefined) return [];
    const hint = suggest(operation, first.offered);
    return [
      {
        code: "OPERATION_UNPROBED",
        message: `no probe of ${lacking.map(({ region }) => region).join(", ")} tries the operation "${operation}"`,
        path: ["guard", "operations", index],
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  }),
);
