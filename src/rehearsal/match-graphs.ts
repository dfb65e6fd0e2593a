import type { Graph, GraphComponent, WorkloadComponent } from "../graph/graph.ts";
import { programText, type Move } from "../graph/move.ts";

/** How the plan looks in the two environments. */
export type Match = {
  /** What would be rehearsed otherwise than production runs it. Each forbids a certificate. */
  readonly differences: readonly string[];
  /** What is smaller or left out in demo by intention; stated, and no reason to refuse. */
  readonly scaled: readonly string[];
};

/** Compares the compiled plan of demo with that of production, step by step. Batches may be fewer where there are fewer instances. */
export function matchGraphs(demo: Graph, production: Graph): Match {
  const components = Object.entries(production.components).flatMap(([name, component]) =>
    componentDifferences(name, demo.components[name], component),
  );
  const steps = [...new Set([...demo.moves, ...production.moves].map(({ step }) => step))].toSorted((a, b) => a - b);
  const onlyApproval = steps.filter((step) => isApproval(production.moves, step) && !hasStep(demo.moves, step));
  return {
    differences: [
      ...components,
      ...steps.filter((step) => !onlyApproval.includes(step)).flatMap((step) => stepDifference(demo, production, step)),
      ...(sameText(demo.guard, production.guard) ? [] : ["the guard is set otherwise"]),
    ],
    scaled: [
      ...scaledCounts(demo, production),
      ...onlyApproval.map((step) => `step ${step + 1} is an approval that only ${production.environment} asks for`),
    ],
  };
}

function componentDifferences(name: string, demo: GraphComponent | undefined, production: GraphComponent) {
  if (demo === undefined) return [`demo has no component ${name}`];
  if (demo.kind !== production.kind || demo.driver !== production.driver)
    return [`${name} is driven by ${demo.driver} in demo and by ${production.driver} in production`];
  if (demo.kind === "metadata" || production.kind === "metadata")
    return sameText(demo, production) ? [] : [`${name} has other migrations`];
  return workloadDifferences(demo, production);
}

const workloadDifferences = (demo: WorkloadComponent, production: WorkloadComponent): readonly string[] => [
  ...(sameText(demo.target, production.target)
    ? []
    : [`${demo.name} goes to ${demo.target.digest} in demo and to ${production.target.digest} in production`]),
  ...(demo.floorPct === production.floorPct ? [] : [`${demo.name} has another floor`]),
  ...(demo.isBehind === production.isBehind
    ? []
    : [`users' operations enter through ${demo.name} in ${demo.isBehind === true ? "production" : "demo"} only`]),
  ...production.regions
    .filter((region) => !demo.regions.includes(region))
    .map((region) => `${demo.name} is not in region ${region} of demo`),
];

/** A step is the same when its waves do the same kinds of moves, to the same things, in the same order. */
function stepDifference(demo: Graph, production: Graph, step: number): readonly string[] {
  const [here, there] = [shapeOf(demo.moves, step), shapeOf(production.moves, step)];
  return here.join("\n") === there.join("\n")
    ? []
    : [`step ${step + 1}: demo runs ${here.join("; ") || "nothing"}, production ${there.join("; ") || "nothing"}`];
}

const shapeOf = (moves: readonly Move[], step: number): readonly string[] => {
  const lines = moves.filter((move) => move.step === step).map((move) => lineOf(move));
  return lines.filter((line, index) => lines.indexOf(line) === index);
};

function lineOf(move: Move): string {
  const wave = move.id.replace(/\/batch-\d+\//, "/batch/");
  switch (move.kind) {
    case "migrate":
      return `${wave} ${move.names.join(",")} ${move.irreversible ? "irreversible" : ""} ${move.undo}`;
    case "start":
      return `${wave} in ${move.regions.join(",")}`;
    case "admit":
      return `${wave} in ${move.regions.join(",")}${move.isSwitch === true ? " alone" : ""}`;
    case "retire":
      return `${wave} in ${move.regions.join(",")} drain ${move.drain.noticeMs}/${move.drain.deadlineMs}`;
    case "prove":
      return `${wave} in ${move.regions.join(",")} ${move.dark.excludePct}/${move.dark.confidencePct}`;
    case "shift":
      return `${wave} to ${move.toPct}`;
    case "soak":
      return `${wave} ${move.ms}`;
    case "run":
      return `${wave} ${programText(move)}`;
    case "verify":
      return wave;
    case "approve":
      return `${wave} ${move.who}`;
  }
}

const hasStep = (moves: readonly Move[], step: number): boolean => moves.some((move) => move.step === step);
const isApproval = (moves: readonly Move[], step: number): boolean =>
  moves.some((move) => move.step === step && move.kind === "approve");

function scaledCounts(demo: Graph, production: Graph): readonly string[] {
  const counts = Object.values(production.components).flatMap((component) => {
    const here = demo.components[component.name];
    if (component.kind !== "workload" || here?.kind !== "workload" || here.instances === component.instances) return [];
    return [
      `${component.name}: ${here.instances} instances per region in ${demo.environment}, ${component.instances} in ${production.environment}`,
    ];
  });
  return counts.length === 0
    ? []
    : [
        ...counts,
        `${demo.moves.length} moves in ${demo.environment}, ${production.moves.length} in ${production.environment}`,
      ];
}

const sameText = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
