import { isSwitched } from "../in-place.ts";
import { instancesOf } from "../instances-of.ts";
import type { EnvironmentComponent, Wave } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import { inPlan, stepsOf, type PlanRule } from "./rule.ts";

/** Users go over more and more, and in the end all of them. */
export const sharesRise: PlanRule = (plan) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) =>
    step.waves.flatMap(({ sharesPct: shares }, at) =>
      shares === undefined ||
      (shares.at(-1) === 100 && shares.every((share, place) => share > (shares[place - 1] ?? 0)))
        ? []
        : [
            {
              code: "SHARES_IMPOSSIBLE",
              message: `the shares ${shares.map((share) => `${share}%`).join(", ")} do not rise to 100%`,
              path: ["steps", index, "waves", at, "shares"],
              hint: "write them in rising order, with 100% as the last",
            },
          ],
    ),
  );

/** Whoever takes a share of all users needs as many instances as before, and a driver that can send users there. */
export const sharesFit = inPlan((plan, environment) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const placed = environment.components[step.component];
    if (placed === undefined) return [];
    return step.waves.flatMap((wave, at) => {
      const path = ["steps", index, "waves", at];
      if (wave.sharesPct === undefined && !isSwitched(placed)) return [];
      return [...incapable(step.component, placed, wave, path), ...tooFew(step.component, placed, wave, path)];
    });
  }),
);

type Path = Complaint["path"];

function incapable(component: string, placed: EnvironmentComponent, wave: Wave, path: Path): readonly Complaint[] {
  const why = whyNot(placed, wave.sharesPct);
  return why === undefined
    ? []
    : [
        {
          code: "DRIVER_CANNOT",
          message: `the driver ${placed.driver} of ${component} cannot move users by these shares: ${why}`,
          path: [...path, "shares"],
          hint: hintFor(placed),
        },
      ];
}

function hintFor(placed: EnvironmentComponent): string {
  if (placed.driver !== "kubernetes")
    return "take `shares` out: waves and batches decide how much the new release takes";
  return placed.traffic === undefined
    ? "write `shares: [100%]`, and `traffic: { switch: selector }` for it in the environment file; or `traffic: { httpRoute: NAME, beside: SERVICE }`, which gives any shares"
    : "write `shares: [100%]`";
}

function whyNot(placed: EnvironmentComponent, shares: readonly number[] | undefined): string | undefined {
  switch (placed.driver) {
    case "process":
    case "postgres":
      return undefined;
    case "command":
      return "it has no balancer";
    case "kubernetes":
      if (placed.traffic === undefined) return "a Service sends every pod the same";
      return placed.traffic.kind === "httpRoute" || shares === undefined || shares.length === 1
        ? undefined
        : "a Service's selector names one release, so that all users are switched at once";
  }
}

function tooFew(component: string, placed: EnvironmentComponent, wave: Wave, path: Path): readonly Complaint[] {
  const instances = instancesOf(placed);
  if (instances === undefined || (wave.batch >= instances && wave.surge >= instances)) return [];
  return [
    {
      code: "SHARES_IMPOSSIBLE",
      message: `users of ${component} go over to a full second set, and batch ${wave.batch} with surge ${wave.surge} brings less than the ${instances} instances of a region`,
      path: [...path, wave.batch < instances ? "batch" : "surge"],
      hint: `write \`batch: ${instances}, surge: ${instances}\``,
    },
  ];
}
