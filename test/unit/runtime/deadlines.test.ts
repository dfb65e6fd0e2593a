import { beforeEach, describe, expect, test } from "vitest";
import type { Run } from "../../../src/engine/run.ts";
import type { Workload } from "../../../src/ports/workload.ts";
import { conductedOnFakes, type Conducted } from "../../fakes/conducted.ts";
import { graphOf, NEW } from "../engine/graph.ts";

// What users of other tools waited for: a deadline of 120 s that took 7 min, waits of 10 min that took 3.7 h, and rollouts that hung for good.
const DEADLINE_MS = 10_000;
let stage: Conducted;
beforeEach(async () => {
  stage = await conductedOnFakes(graphOf({ migrate: false }));
  stage.watcher.say({ state: "healthy" });
});

/** How long it took until `until` held, or the run was over. */
async function took(ended: Promise<Run>, until?: () => boolean): Promise<number> {
  const from = stage.clock.now();
  await stage.play(ended, until);
  return stage.clock.now() - from;
}
const isTripped = (): boolean => stage.pager.delivered.some(({ kind }) => kind === "tripped");

/** Nothing that is ordered of it is ever answered; whoever looks sees it as it is. */
const deaf = ({ observe }: Workload): Workload => ({
  observe,
  shape: (_region, _shape, _fence, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true })),
});
const slowToFail = ({ observe, shape }: Workload, ms: number): Workload => ({
  observe,
  async shape(region, wanted, fence, signal) {
    if (wanted.releases.some(({ digest, count }) => digest === NEW.digest && count > 0))
      await stage.clock.sleep(ms, signal);
    return shape(region, wanted, fence, signal);
  },
});

describe("a release that never comes up", () => {
  test("is given up within the deadline of its step, however often it is tried (argo-rollouts#1593)", async () => {
    stage.places.spoil(NEW.digest);
    const workload = slowToFail(stage.places.workload, 6_000);
    const { ended } = await stage.start({ workloads: { gateway: { workload, traffic: stage.places.traffic } } });
    expect(await took(ended, isTripped)).toBeLessThanOrEqual(DEADLINE_MS + 1_000);
    await stage.play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "undone" });
  });
});

describe("a place that takes no order", () => {
  test("is not ordered for ever: the run turns back, and ends with a page that a person is needed (argo-rollouts#4128)", async () => {
    const workload = deaf(stage.places.workload);
    const { ended } = await stage.start({ workloads: { gateway: { workload, traffic: stage.places.traffic } } });
    expect(await took(ended, isTripped)).toBeLessThanOrEqual(2 * DEADLINE_MS + 5_000);
    for (let turn = 0; turn < 10; turn += 1) await stage.play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "stranded" });
    expect(stage.pager.delivered.at(-1)?.kind).toBe("stranded");
  }, 30_000);

  test("is left at once by whoever asks for the undo, while it is still waited for (argo-rollouts#4128)", async () => {
    const { observe, shape } = stage.places.workload;
    let ordered = 0;
    const workload: Workload = {
      observe,
      shape(...order) {
        ordered += 1;
        return ordered === 1 ? deaf(stage.places.workload).shape(...order) : shape(...order);
      },
    };
    const { conducted, ended } = await stage.start({
      workloads: { gateway: { workload, traffic: stage.places.traffic } },
    });
    await stage.play(ended, () => ordered > 0);
    conducted.ask("undo", "ops");
    expect(await took(ended, isTripped)).toBeLessThanOrEqual(500);
    await stage.play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "undone" });
  });
});

describe("the waits of a plan", () => {
  test("take as long as the plan says, and not more (argo-rollouts#3569)", async () => {
    const soakMs = 60_000;
    const graph = graphOf({ migrate: false });
    const moves = graph.moves.map((move) => (move.kind === "soak" ? { ...move, ms: soakMs } : move));
    const soaks = moves.filter(({ kind }) => kind === "soak").length;
    expect(soaks).toBeGreaterThan(0);
    stage = await conductedOnFakes({ ...graph, moves });
    stage.watcher.say({ state: "healthy" });
    const { ended } = await stage.start();
    const total = await took(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(total).toBeGreaterThanOrEqual(soaks * soakMs);
    expect(total).toBeLessThanOrEqual(soaks * soakMs + 5_000);
  });
});
