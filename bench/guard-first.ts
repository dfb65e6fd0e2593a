import { pathToFileURL } from "node:url";
import { guardWorld, type GuardWorld } from "../test/fakes/guard-world.ts";

/** How long the guard takes from the first failing operation to the first verdict that acts, in a simulated venue, with fixed seeds. */
type Scene = {
  readonly name: string;
  /** User operations a second over both regions. Default 300. */
  readonly liveRate?: number;
  readonly stage: (world: GuardWorld) => void;
};
export type Row = {
  readonly scene: string;
  readonly runs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly missed: number;
  readonly states: string;
};

const isInTokyo = (id: string): boolean => id.startsWith("tokyo");

const oneNew = (world: GuardWorld): void => {
  world.upgrade(["tokyo-0"]);
  world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
};
const wait =
  (ms: number, stage: (world: GuardWorld) => void) =>
  (world: GuardWorld): void => {
    stage(world);
    world.run(ms);
  };

export const SCENES: readonly Scene[] = [
  {
    name: "a third of amends on 1 of 6 gateways, at the step",
    stage: (world) => (
      oneNew(world),
      world.fail(({ operation, instance }) => operation === "amend" && instance.side === "new", 1 / 3)
    ),
  },
  {
    name: "the same, 40 s after the step",
    stage: (world) => (
      wait(40_000, oneNew)(world),
      world.fail(({ operation, instance }) => operation === "amend" && instance.side === "new", 1 / 3)
    ),
  },
  {
    name: "the same, users only (probes don't show it)",
    stage: (world) => (
      oneNew(world),
      world.fail(
        ({ operation, instance, source }) => source === "live" && operation === "amend" && instance.side === "new",
        1 / 3,
      )
    ),
  },
  {
    name: "six in ten amends, users only",
    stage: (world) => (
      oneNew(world),
      world.fail(
        ({ operation, instance, source }) => source === "live" && operation === "amend" && instance.side === "new",
        0.6,
      )
    ),
  },
  {
    name: "a quarter of amends, users only",
    stage: (world) => (
      oneNew(world),
      world.fail(
        ({ operation, instance, source }) => source === "live" && operation === "amend" && instance.side === "new",
        1 / 4,
      )
    ),
  },
  {
    name: "everything on 1 of 6 gateways, at the step",
    stage: (world) => (oneNew(world), world.fail(({ instance }) => instance.side === "new")),
  },
  {
    name: "everything on 3 of 6 gateways with half of 500/s, at the step (bins of 100 ms; the thread looks closer)",
    liveRate: 1_000,
    stage: (world) => (
      world.upgrade(["tokyo-0", "tokyo-1", "tokyo-2"]),
      world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] }),
      world.fail(({ instance }) => instance.side === "new")
    ),
  },
  {
    name: "2 of 10 cohorts, total, after metadata",
    stage: (world) => (
      world.mark({ kind: "metadata", component: "orders-db" }),
      world.fail(({ cohort }) => cohort === "shard-3" || cohort === "shard-7")
    ),
  },
  {
    name: "1 of 10 cohorts, total, after metadata",
    stage: (world) => (
      world.mark({ kind: "metadata", component: "orders-db" }),
      world.fail(({ cohort }) => cohort === "shard-3")
    ),
  },
  {
    name: "1 of 10 cohorts, total, 40 s after metadata",
    stage: (world) => (
      world.mark({ kind: "metadata", component: "orders-db" }),
      world.run(40_000),
      world.fail(({ cohort }) => cohort === "shard-3")
    ),
  },
  {
    name: "1 of 10 cohorts in tokyo only, after metadata",
    stage: (world) => (
      world.mark({ kind: "metadata", component: "orders-db" }),
      world.fail(({ cohort, instance }) => cohort === "shard-3" && isInTokyo(instance.id))
    ),
  },
  {
    name: "everything everywhere at 5 %, new and old",
    stage: (world) => (oneNew(world), world.fail(() => true, 0.05)),
  },
];

export const measure = ({ name, liveRate = 300, stage }: Scene, runs: number): Row => {
  const delays: number[] = [];
  const states = new Map<string, number>();
  for (let seed = 1; seed <= runs; seed++) {
    const world = guardWorld({ seed, liveRate });
    // The step does not know the phase of the bins.
    world.run(5_000 + (seed % 2) * 100);
    stage(world);
    world.run(20_000, ({ state }) => state !== "healthy" && state !== "unknown");
    const { state, at } = world.verdict();
    states.set(state, (states.get(state) ?? 0) + 1);
    const first = world.firstFailedAt();
    if (state !== "healthy" && state !== "unknown" && first !== undefined) delays.push(at - first);
  }
  const sorted = delays.toSorted((a, b) => a - b);
  return {
    scene: name,
    runs,
    medianMs: Math.round(quantile(sorted, 0.5)),
    p95Ms: Math.round(quantile(sorted, 0.95)),
    missed: runs - sorted.length,
    states: [...states].map(([state, times]) => `${state} ${times}`).join(", "),
  };
};

const quantile = (sorted: readonly number[], at: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? NaN;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const runs = Number(process.argv[2] ?? 200);
  process.stdout.write(
    `${JSON.stringify(
      SCENES.map((scene) => measure(scene, runs)),
      undefined,
      1,
    )}\n`,
  );
}
