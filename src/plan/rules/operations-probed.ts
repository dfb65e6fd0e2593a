import { suggest } from "../nearest.ts";
import { operationsOf } from "../operations-of.ts";
import { inPlan } from "./rule.ts";

/** What the guard watches is tried in every region, or health could never be shown there. */
export const operationsProbed = inPlan((plan, environment) => {
  const probes = Object.entries(environment.regions).flatMap(([region, { probe }]) =>
    probe === undefined ? [] : [{ region, offered: operationsOf(probe) }],
  );
  return plan.guard.operations.flatMap((operation, index) => {
    const lacking = probes.filter(({ offered }) => !offered.includes(operation));
    const [first] = lacking;
    if (first === undefined) return [];
    const places = lacking.map(({ region }) => region).join(", ");
    const hint = suggest(operation, first.offered);
    return [
      {
        code: "OPERATION_UNPROBED",
        message: `no probe of ${places} tries the operation "${operation}"`,
        path: ["guard", "operations", index],
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  });
});
