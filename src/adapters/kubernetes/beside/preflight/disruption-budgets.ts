import type { DisruptionBudget, Labels, Selector } from "../../api/objects.ts";
import type { Check } from "./scene.ts";

/** A rollout asks no budget, but whoever drains a node does: with one that forbids everything, he waits for ever. */
export const disruptionBudgets: Check = ({ fields, budgets }) => {
  const labels = fields.template.metadata?.labels ?? {};
  return budgets
    .filter(({ spec }) => spec.selector !== undefined && selects(spec.selector, labels))
    .filter((budget) => forbidsAll(budget, fields.replicas))
    .map(
      ({ metadata: { name }, spec }) =>
        `the PodDisruptionBudget ${name} lets none of its ${fields.replicas} pods go (${limitOf(spec)}): a node that is drained meanwhile waits for ever, and a rollout is not bound by it; let it spare one`,
    );
};

/** Shares are rounded up, both of them. */
function forbidsAll({ spec: { minAvailable, maxUnavailable } }: DisruptionBudget, replicas: number): boolean {
  if (maxUnavailable !== undefined) return sized(maxUnavailable, replicas) <= 0;
  return minAvailable !== undefined && sized(minAvailable, replicas) >= replicas;
}

const sized = (value: number | string, replicas: number): number =>
  typeof value === "number" ? value : Math.ceil((Number.parseFloat(value) / 100) * replicas);

const limitOf = ({ minAvailable, maxUnavailable }: DisruptionBudget["spec"]): string =>
  maxUnavailable === undefined ? `minAvailable ${minAvailable}` : `maxUnavailable ${maxUnavailable}`;

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        case "In":
          return value !== undefined && values.includes(value);
        default:
          return value === undefined || !values.includes(value);
      }
    })
  );
}
