import { compile } from "../../../src/graph/compile.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Plan, PlanStep, RollStep } from "../../../src/plan/model.ts";
import { ENVIRONMENT } from "../../simulation/scenario.ts";

export const roll = (component: string, ...waves: readonly (readonly string[])[]): RollStep => ({
  kind: "roll",
  component,
  drain: { noticeMs: 0, deadlineMs: 1 },
  waves: waves.map((regions) => ({ regions, batch: 1, surge: 1, soakMs: 0 })),
  deadlineMs: 1,
  retries: 0,
});
export const BOTH = ["tokyo", "frankfurt"];

/** Gateways that need an engine, both with two instances in both regions. */
export function graphOfTwo(steps: readonly PlanStep[], engineRegions: readonly string[] = BOTH): Graph {
  const plan: Plan = {
    midflight: 1,
    file: "plan.yaml",
    name: "p",
    components: {
      engine: { release: "engine@2.0", needs: [], floorPct: 100 },
      gateway: { release: "gateway@2.0", needs: ["engine"], floorPct: 100 },
    },
    steps,
    guard: {
      operations: ["order"],
      falseAlarmEveryMs: 1,
      baselineAtMostPct: 0.1,
      slowerThanMs: 1,
      deadlineMs: 1,
      probesPerSec: 1,
      suspectForMs: 1,
      holdForMs: 1,
    },
    rehearsal: { soakMs: 0, drillSoakMs: 10_000, validForMs: 0 },
    backups: {},
  };
  const { gateway } = ENVIRONMENT.components;
  if (gateway?.driver !== "process") throw new Error("the scenario's gateways are processes");
  const at = (regions: readonly string[]) => ({
    ...gateway,
    instances: 2,
    balancer: Object.fromEntries(regions.map((region) => [region, "http://b"])),
  });
  const release = { process: { digest: "sha256:n", path: "/x", run: ["x"] } };
  return compile({
    plan,
    environment: { ...ENVIRONMENT, components: { engine: at(engineRegions), gateway: at(BOTH) } },
    releases: { midflight: 1, file: "r", releases: { "engine@2.0": release, "gateway@2.0": release } },
    migrations: {},
    sha256: (text) => text,
  });
}
