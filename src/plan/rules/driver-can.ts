import type { EnvironmentComponent, PlanStep } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import { inPlan } from "./rule.ts";

/** A driver is asked only for what it knows. */
export const driverCan = inPlan((plan, environment) =>
  plan.steps.flatMap((step, index) => {
    const placed = "component" in step ? environment.components[step.component] : undefined;
    return placed === undefined ? [] : judge(step, index, placed);
  }),
);

const DRIVERS: Readonly<Record<"migrate" | "roll" | "shift", readonly EnvironmentComponent["driver"][]>> = {
  migrate: ["postgres"],
  roll: ["process", "kubernetes", "command"],
  shift: ["process"],
};

function judge(step: PlanStep, index: number, placed: EnvironmentComponent): readonly Complaint[] {
  const { driver } = placed;
  if (step.kind !== "migrate" && step.kind !== "roll" && step.kind !== "shift") return [];
  if (!DRIVERS[step.kind].includes(driver)) {
    const why = step.kind === "shift" ? `: ${whyNoShares(placed)}` : "";
    return [
      {
        code: "DRIVER_CANNOT",
        message: `the driver ${driver} of ${step.component} cannot ${step.kind}${why}`,
        path: ["steps", index, step.kind],
        hint: `a ${step.kind} needs the driver ${DRIVERS[step.kind].join(" or ")}`,
      },
    ];
  }
  if (step.kind !== "roll" || step.dark === undefined) return [];
  const why = unprovable(placed);
  if (why === undefined) return [];
  return [
    {
      code: "DRIVER_CANNOT",
      message: `${step.component} ${why}, so new instances of it cannot be probed before users reach them`,
      path: ["steps", index, "dark"],
      hint: "write `dark: none`, so that readers see it",
    },
  ];
}

const unprovable = (placed: EnvironmentComponent): string | undefined => {
  switch (placed.driver) {
    case "command":
      return "is driven by commands";
    case "process":
    case "kubernetes":
      return placed.isEntry ? undefined : "takes no operation of a user itself";
    case "postgres":
      return undefined;
  }
};

function whyNoShares(placed: EnvironmentComponent): string {
  if (placed.driver !== "kubernetes") return "it has no balancer";
  switch (placed.traffic?.kind) {
    case undefined:
      return "a Service sends every pod the same";
    case "selector":
      return "its users are switched by the roll itself, all at once";
    case "httpRoute":
      return "its users are moved by the roll itself, by the `shares` of its waves";
  }
}
