import { compile } from "../../src/graph/compile.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Environment, KubernetesKey, KubernetesObject, Plan, PlanStep, Releases } from "../../src/plan/model.ts";
import type { Luck } from "./luck.ts";
import { INSTANCES, migrationNamed, NEW, type Home, type Trouble } from "./sim-world.ts";

const MIGRATIONS = [migrationNamed("0001_expand", "expand"), migrationNamed("0002_contract", "contract")];
const PATIENCE = { deadlineMs: 20_000, retries: 3 };

export type Scenario = {
  readonly graph: Graph;
  readonly trouble: Trouble;
  readonly kills: readonly number[];
  readonly ask?: { readonly atMs: number; readonly what: "halt" | "undo" };
};

/** A plan, a trouble and the moments at which the conductor dies, all drawn from luck. */
export function draw(luck: Luck, home: Home = "kept"): Scenario {
  const isIrreversible = luck.chance(0.4);
  const graph = compile({
    plan: planFor(home, drawPlan(luck, isIrreversible), luck),
    environment: environmentFor(home),
    releases: RELEASES,
    migrations: { db: MIGRATIONS },
    sha256: (text) => text,
  });
  const kills = luck.chance(0.6) ? Array.from({ length: luck.int(1, 3) }, () => luck.int(1, 90)) : [];
  return {
    graph,
    trouble: drawTrouble(luck),
    kills,
    ...(luck.chance(0.1) ? { ask: { atMs: luck.int(100, 20_000), what: luck.pick(["halt", "undo"] as const) } } : {}),
  };
}

export const ENVIRONMENT: Environment = {
  midflight: 1,
  file: "sim.yaml",
  name: "sim",
  class: "production",
  regions: { tokyo: {}, frankfurt: {} },
  components: {
    db: { driver: "postgres", url: "postgres://sim" },
    gateway: {
      driver: "process",
      balancer: { tokyo: "http://tokyo", frankfurt: "http://frankfurt" },
      instances: INSTANCES,
      env: {},
      ready: "/",
      drain: "/",
      undrain: "/",
      drained: "/",
      readyDeadlineMs: 1000,
      stopDeadlineMs: 1000,
      isEntry: true,
    },
  },
  sources: [],
  notify: [],
  trusts: [],
  approval: { notBySigner: false },
  parity: { accept: [] },
  rules: {},
  state: ".midflight",
};

export function environmentFor(home: Home): Environment {
  switch (home) {
    case "kept":
      return ENVIRONMENT;
    case "in-place":
      return withPods({ kind: "StatefulSet", name: "gateway" }, "statefulSet");
    case "brought":
      return withPods({ kind: "Deployment", name: "gateway" }, "deployment");
  }
}

/** The same with pods. */
const withPods = (object: KubernetesObject, key: KubernetesKey): Environment => ({
  ...ENVIRONMENT,
  components: {
    ...ENVIRONMENT.components,
    gateway: {
      driver: "kubernetes",
      object,
      named: [key],
      container: "gateway",
      service: "gateway",
      contexts: { tokyo: "tokyo", frankfurt: "frankfurt" },
      stores: {},
      instances: INSTANCES,
      port: 8080,
      isEntry: true,
      readyDeadlineMs: 1000,
    },
  },
});

const RELEASES: Releases = {
  midflight: 1,
  file: "releases.yaml",
  releases: {
    [NEW.release]: {
      process: { digest: NEW.digest, path: "/x", run: ["node", "main.js"] },
      kubernetes: { image: `registry/gateway@${NEW.digest}` },
    },
  },
};

function planFor(home: Home, plan: Plan, luck: Luck): Plan {
  switch (home) {
    case "kept":
      return plan;
    case "in-place":
      return inPlace(plan);
    case "brought":
      return luck.chance(0.7) ? unproved(plan) : plan;
  }
}

const unproved = (plan: Plan): Plan => ({
  ...plan,
  steps: plan.steps.map((step) => {
    if (step.kind !== "roll") return step;
    const { dark: _, ...rest } = step;
    return rest;
  }),
});

/** Without surplus, and so with a floor that a batch fits under. */
export const inPlace = (plan: Plan): Plan => ({
  ...plan,
  components: Object.fromEntries(
    Object.entries(plan.components).map(([name, component]) => [name, { ...component, floorPct: 50 }]),
  ),
  steps: plan.steps.map((step) =>
    step.kind === "roll" ? { ...step, waves: step.waves.map((wave) => ({ ...wave, surge: 0 })) } : step,
  ),
});

function drawPlan(luck: Luck, isIrreversible: boolean): Plan {
  const surge = luck.chance(0.8) ? 2 : 0;
  const batch = surge === 0 ? 1 : luck.int(1, 2);
  const roll: PlanStep = {
    kind: "roll",
    component: "gateway",
    dark: { excludePct: 5, confidencePct: 99 },
    drain: { noticeMs: 100, deadlineMs: 1000 },
    waves: luck.chance(0.7)
      ? [
          { regions: ["tokyo"], batch, surge, soakMs: luck.int(0, 2_000) },
          { regions: "rest", batch: 2, surge: 2, soakMs: luck.int(0, 500) },
        ]
      : [{ regions: "rest", batch, surge, soakMs: 200 }],
    ...PATIENCE,
  };
  const steps: PlanStep[] = [
    {
      kind: "migrate",
      component: "db",
      phase: "expand",
      irreversible: false,
      undo: luck.chance(0.2) ? "always" : "suspect",
      ...(luck.chance(0.5) ? { backup: "rebuild" } : {}),
      ...PATIENCE,
    },
    roll,
    { kind: "soak", ms: luck.int(100, 1_000) },
    ...(luck.chance(0.6)
      ? [
          {
            kind: "migrate",
            component: "db",
            phase: "contract",
            irreversible: isIrreversible,
            backup: "rebuild",
            undo: "suspect",
            ...PATIENCE,
          } satisfies PlanStep,
        ]
      : []),
    { kind: "verify", component: "gateway", ...PATIENCE },
  ];
  return {
    midflight: 1,
    file: "plan.yaml",
    name: "sim",
    components: {
      db: { migrations: "./m", needs: [], floorPct: 50 },
      gateway: { release: NEW.release, needs: ["db"], floorPct: surge === 0 ? 75 : 100 },
    },
    steps,
    guard: {
      operations: ["order", "amend", "cancel"],
      falseAlarmEveryMs: 2_592_000_000,
      baselineAtMostPct: 0.1,
      slowerThanMs: 250,
      deadlineMs: 250,
      probesPerSec: 30,
      suspectForMs: 3_000,
      holdForMs: 30_000,
    },
    rehearsal: { soakMs: 0, drillSoakMs: 10_000, validForMs: 0 },
    backups: {
      rebuild: [
        { kind: "run", argv: ["rebuild"], shell: false, timeoutMs: 1000 },
        { kind: "verify", component: "gateway", timeoutMs: 1000 },
      ],
    },
  };
}

function drawTrouble(luck: Luck): Trouble {
  const lossRate = luck.chance(0.5) ? 0 : luck.next() * 0.15;
  const kind = luck.int(1, 12);
  return {
    lossRate,
    ...(kind === 1 ? { badRelease: "dark" as const } : {}),
    ...(kind === 2 || kind === 3 ? { badRelease: "live" as const } : {}),
    ...(kind === 4 ? { badMigration: luck.pick(["0001_expand", "0002_contract"]) } : {}),
    ...(kind === 5 ? { neverReady: true } : {}),
    ...(kind === 6 ? { failUp: luck.pick(["0001_expand", "0002_contract"]) } : {}),
    ...(kind === 7
      ? { badMigration: "0001_expand", failDown: "0001_expand", ...(luck.chance(0.3) ? { backupFails: true } : {}) }
      : {}),
    ...(kind === 8 ? { storm: { fromMs: luck.int(500, 15_000), forMs: luck.int(500, 20_000) } } : {}),
    ...(kind === 9
      ? {
          death: {
            fromMs: luck.int(500, 15_000),
            forMs: luck.int(500, 20_000),
            region: luck.pick(["tokyo", "frankfurt"]),
          },
        }
      : {}),
    ...(kind === 10 ? { foreignAtMs: luck.int(500, 15_000) } : {}),
  };
}
