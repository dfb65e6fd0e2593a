import { compile } from "../../../src/graph/compile.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Migration, Plan, PlanStep } from "../../../src/plan/model.ts";
import { ENVIRONMENT, environmentFor, inPlace } from "../../simulation/scenario.ts";
import { INSTANCES, migrationNamed, NEW, OLD, type Home } from "../../simulation/sim-world.ts";

export { INSTANCES, NEW, OLD };

const PATIENCE = { deadlineMs: 10_000, retries: 2 };

/** A small plan: expand, roll two regions, and a contract without a way back if asked for. */
export function graphOf(
  how: {
    readonly contract?: boolean;
    readonly migrate?: boolean;
    readonly target?: typeof NEW;
    readonly instances?: number;
    /** `brought`: by their admission, and nobody is proved in the dark. `in-place`: half of the places may be empty. */
    readonly home?: Home;
    /** Both regions bring a full second set, and users go over by these shares. */
    readonly sharesPct?: readonly number[];
  } = {},
): Graph {
  const { target = NEW, home = "kept" } = how;
  const full = how.instances ?? INSTANCES;
  const steps: PlanStep[] = [
    ...(how.migrate === false
      ? []
      : [
          {
            kind: "migrate",
            component: "db",
            phase: "expand",
            irreversible: false,
            undo: "suspect",
            ...PATIENCE,
          } satisfies PlanStep,
        ]),
    {
      kind: "roll",
      component: "gateway",
      ...(home === "brought" ? {} : { dark: { excludePct: 5, confidencePct: 99 } }),
      drain: { noticeMs: 100, deadlineMs: 1000 },
      waves:
        how.sharesPct === undefined
          ? [
              { regions: ["tokyo"], batch: 1, surge: 1, soakMs: 1000 },
              { regions: "rest", batch: 2, surge: 2, soakMs: 0 },
            ]
          : [
              { regions: ["tokyo"], batch: full, surge: full, sharesPct: how.sharesPct, soakMs: 1000 },
              { regions: "rest", batch: full, surge: full, sharesPct: how.sharesPct, soakMs: 0 },
            ],
      ...PATIENCE,
    },
    ...(how.contract === true
      ? [
          {
            kind: "migrate",
            component: "db",
            phase: "contract",
            irreversible: true,
            backup: "rebuild",
            undo: "suspect",
            ...PATIENCE,
          } satisfies PlanStep,
        ]
      : []),
  ];
  const plan: Plan = {
    midflight: 1,
    file: "plan.yaml",
    name: "p",
    components: {
      db: { migrations: "m", needs: [], floorPct: 100 },
      gateway: { release: target.release, needs: [], floorPct: 100 },
    },
    steps,
    guard: {
      operations: ["order", "amend", "cancel"],
      falseAlarmEveryMs: 2_592_000_000,
      baselineAtMostPct: 0.1,
      slowerThanMs: 250,
      deadlineMs: 250,
      probesPerSec: 30,
      suspectForMs: 10_000,
      holdForMs: 600_000,
    },
    rehearsal: { soakMs: 0, drillSoakMs: 10_000, validForMs: 0 },
    backups: { rebuild: [{ kind: "run", argv: ["rebuild"], shell: false, timeoutMs: 1000 }] },
  };
  const migrations: readonly Migration[] = [
    migrationNamed("0001_expand", "expand"),
    migrationNamed("0002_contract", "contract"),
  ];
  const gateway = ENVIRONMENT.components["gateway"];
  const environment =
    gateway?.driver === "process" && how.instances !== undefined
      ? { ...ENVIRONMENT, components: { ...ENVIRONMENT.components, gateway: { ...gateway, instances: how.instances } } }
      : ENVIRONMENT;
  return compile({
    plan: home === "in-place" ? inPlace(plan) : plan,
    environment: home === "kept" ? environment : environmentFor(home),
    releases: {
      midflight: 1,
      file: "r",
      releases: {
        [target.release]: {
          process: { digest: target.digest, path: "/x", run: ["x"] },
          kubernetes: { image: `registry/gateway@${target.digest}` },
        },
      },
    },
    migrations: { db: migrations },
    sha256: (text) => text,
  });
}
