import type { Rule } from "./together.ts";

/** A step without a way back names what runs instead. */
export const irreversibleHasBackup: Rule = ({ plan }) =>
  plan.value.steps.flatMap((step, index) =>
    step.kind === "migrate" && step.irreversible && step.backup === undefined
      ? [plan.source.problem("no-backup", ["steps", index, "irreversible"], "a step without a way back needs a backup plan", { hint: "add `backup: NAME`, and the plan under `backups:`" })]
      : [],
  );

/** A contract takes away what the old release reads: every component that needs the store is rolled, and has soaked, before it. */
export const contractLast: Rule = ({ plan }) => {
  const { value, source } = plan;
  return value.steps.flatMap((step, index) => {
    if (step.kind !== "migrate" || step.phase !== "contract") return [];
    const needing = Object.entries(value.components).filter(([, component]) => component.needs.includes(step.component) && component.release !== undefined);
    const before = value.steps.slice(0, index);
    const unrolled = needing.filter(([name]) => !before.some((one) => one.kind === "roll" && one.component === name));
    const problems = unrolled.map(([name]) => source.problem("contract-before-roll", ["steps", index, "phase"], `\`${name}\` reads this store and is not rolled before its contract`, { hint: `put \`- roll: ${name}\` before it` }));
    const lastRoll = before.findLastIndex((one) => one.kind === "roll");
    const roll = before[lastRoll];
    const hasSoaked = before.slice(lastRoll + 1).some((one) => one.kind === "soak" || one.kind === "approve") || (roll?.kind === "roll" && (roll.waves.at(-1)?.soakMs ?? 0) > 0);
    return needing.length > 0 && unrolled.length === 0 && !hasSoaked ? [...problems, source.problem("contract-before-soak", ["steps", index, "phase"], "nothing soaks between the last roll and this contract", { hint: "add `- soak: 20s` before it, or a soak to the last wave" })] : problems;
  });
};

/** 0, or room for the whole batch: anything between would only make the batch smaller in silence. */
export const surgeFits: Rule = ({ plan }) =>
  plan.value.steps.flatMap((step, index) =>
    step.kind !== "roll"
      ? []
      : step.waves.flatMap((wave, at) =>
          wave.surge === 0 || wave.surge >= wave.batch ? [] : [plan.source.problem("surge-below-batch", ["steps", index, "waves", at, "surge"], `surge ${wave.surge} leaves no room for a batch of ${wave.batch}`, { hint: `make it 0 or ${wave.batch}` })],
        ),
  );

/** `rest` is what no earlier wave named, so it comes last, once; no region is named twice. */
export const restLast: Rule = ({ plan }) =>
  plan.value.steps.flatMap((step, index) => {
    if (step.kind !== "roll") return [];
    const seen = new Set<string>();
    return step.waves.flatMap((wave, at) => {
      if (wave.regions === "rest") return at === step.waves.length - 1 ? [] : [plan.source.problem("rest-not-last", ["steps", index, "waves", at, "regions"], "`rest` is the last wave", { hint: "move it to the end" })];
      return wave.regions.flatMap((region, place) => {
        if (!seen.has(region)) {
          seen.add(region);
          return [];
        }
        return [plan.source.problem("region-twice", ["steps", index, "waves", at, "regions", place], `\`${region}\` is in two waves`, { hint: "name it once" })];
      });
    });
  });

/** Of operations × baseline: what the guard cannot tell from health is no promise. */
export const guardIsSharp: Rule = ({ plan }) =>
  plan.value.guard.baselineAtMostPct >= 5 ? [plan.source.problem("blunt-baseline", ["guard", "baseline", "atMost"], `a baseline of ${plan.value.guard.baselineAtMostPct} % hides most incidents`, { hint: "state what really fails in health, below 5%" })] : [];
