import { didYouMean } from "../nearest.ts";
import type { Rule } from "./together.ts";

/** Components, backup plans and needs must exist. */
export const knownNames: Rule = ({ plan }) => {
  const { value, source } = plan;
  const known = Object.keys(value.components);
  const backups = Object.keys(value.backups);
  const steps = value.steps.flatMap((step, index) => {
    const missing = "component" in step && !known.includes(step.component) ? [source.problem("unknown-component", ["steps", index, step.kind], `there is no component \`${step.component}\``, { hint: didYouMean(step.component, known) })] : [];
    const backup = step.kind === "migrate" ? step.backup : undefined;
    return backup === undefined || backups.includes(backup) ? missing : [...missing, source.problem("unknown-backup", ["steps", index, "backup"], `there is no backup plan \`${backup}\``, { hint: didYouMean(backup, backups) })];
  });
  const needs = Object.entries(value.components).flatMap(([name, component]) =>
    component.needs.flatMap((need, index) => (known.includes(need) ? [] : [source.problem("unknown-component", ["components", name, "needs", index], `there is no component \`${need}\``, { hint: didYouMean(need, known) })])),
  );
  const verified = Object.entries(value.backups).flatMap(([name, actions]) =>
    actions.flatMap((action, index) => (action.kind === "verify" && !known.includes(action.component) ? [source.problem("unknown-component", ["backups", name, index, "verify"], `there is no component \`${action.component}\``, { hint: didYouMean(action.component, known) })] : [])),
  );
  return [...steps, ...needs, ...verified];
};

/** What needs what must have an order. */
export const noCycle: Rule = ({ plan }) => {
  const { components } = plan.value;
  const reaches = (from: string, to: string, seen: ReadonlySet<string>): boolean =>
    (components[from]?.needs ?? []).some((need) => need === to || (!seen.has(need) && reaches(need, to, new Set([...seen, need]))));
  return Object.keys(components)
    .filter((name) => reaches(name, name, new Set()))
    .map((name) => plan.source.problem("cycle", ["components", name, "needs"], `\`${name}\` needs itself, over what it needs`, { hint: "take one `needs` of the circle away" }));
};
