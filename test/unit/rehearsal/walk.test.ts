import { describe, expect, test } from "vitest";
import type { Drill } from "../../../src/rehearsal/drill.ts";
import { drillsOf, undrilled, type WalkOrder } from "../../../src/rehearsal/drills-of.ts";
import type { DrillRun, Stage, Standing } from "../../../src/rehearsal/stage.ts";
import { differencesOf, walk } from "../../../src/rehearsal/walk.ts";
import { graphOf, OLD } from "../engine/graph.ts";

const GRAPH = graphOf({ contract: true });
const BEFORE: Standing = {
  workloads: {
    "gateway/tokyo": {
      region: "tokyo",
      instances: [
        { id: "a", ordinal: 1, ready: true, weightPct: 100, address: "127.0.0.1:1", ...OLD },
        { id: "b", ordinal: 2, ready: true, weightPct: 100, address: "127.0.0.1:2", ...OLD },
      ],
    },
  },
  metadata: { db: { fingerprint: "f", applied: [], server: "PostgreSQL 18.4" } },
};

type Script = {
  readonly play?: (order: WalkOrder) => Partial<DrillRun>;
  readonly look?: (played: number) => Standing;
  readonly isServed?: boolean;
};

/** A demo environment of one line: every run ends as promised, unless the script says otherwise. */
function stageOf({ play = () => ({}), look = () => BEFORE, isServed = true }: Script = {}) {
  const played: string[] = [];
  let cleared = 0;
  const stage: Stage = {
    look: () => Promise.resolve(look(played.length)),
    play: (order) => {
      played.push(order.name);
      return Promise.resolve({
        run: "r",
        outcome: order.ends[0] ?? "undone",
        text: "as promised",
        moves: [],
        hasHeld: true,
        hasStruck: true,
        ms: 1,
        ...play(order),
      });
    },
    clear: () => {
      cleared += 1;
      return Promise.resolve();
    },
    backUp: () => Promise.resolve({ isServed, detail: "ran" }),
  };
  return { stage, played, cleared: () => cleared };
}

const walked = (stage: Stage) =>
  walk(GRAPH, stage, {
    now: () => 0,
    signal: new AbortController().signal,
    progress: { starting: () => {}, drilled: () => {} },
    notes: { before: () => Promise.resolve(), done: () => Promise.resolve() },
  });
const failures = (drills: readonly Drill[]) => drills.filter(({ outcome }) => outcome === "failed");

describe("the walk", () => {
  test("drills every step and every fault, then walks the whole plan and runs its backup plans", async () => {
    const { stage, played, cleared } = stageOf();
    const { drills } = await walked(stage);
    expect(failures(drills)).toEqual([]);
    expect(played.at(-1)).toBe("the whole plan");
    expect(played).toHaveLength(drillsOf(GRAPH).length + 1);
    expect(cleared()).toBe(drillsOf(GRAPH).length);
    expect(drills.at(-1)).toMatchObject({ kind: "backup", outcome: "passed" });
  });

  test("every move that changes something is taken back, or it is said why not", () => {
    const drilled = new Set([...drillsOf(GRAPH).map(({ step }) => step), ...undrilled(GRAPH).map(({ step }) => step)]);
    const steps = new Set(GRAPH.moves.map(({ step }) => step));
    for (const step of steps)
      expect(
        GRAPH.moves.some((move) => move.step === step && drilled.has(move.id)),
        `step ${step}`,
      ).toBe(true);
  });

  test.each([
    { name: "an end that was not promised", play: { outcome: "stranded", text: "no" }, says: "ended stranded and not" },
    { name: "a fault that never struck", play: { hasStruck: false }, says: "never struck" },
  ])("$name fails the drill", async ({ play, says }) => {
    const [first] = drillsOf(GRAPH);
    const { stage } = stageOf({ play: (order) => (order.name === first?.name ? play : {}) });
    const { drills } = await walked(stage);
    expect(failures(drills)).toHaveLength(1);
    expect(failures(drills)[0]?.detail).toContain(says);
  });

  test("a region that dies without a hold fails the drill", async () => {
    const { stage } = stageOf({ play: () => ({ hasHeld: false }) });
    const { drills } = await walked(stage);
    expect(failures(drills).map(({ detail }) => detail)).toEqual([expect.stringContaining("did not hold")]);
  });

  test("demo that is left otherwise than it was ends the walk, for what came after would prove nothing", async () => {
    const changed: Standing = { ...BEFORE, metadata: { db: { ...BEFORE.metadata["db"]!, fingerprint: "other" } } };
    const { stage, played } = stageOf({ look: (count) => (count < 2 ? BEFORE : changed) });
    const { drills } = await walked(stage);
    expect(played).toHaveLength(2);
    expect(failures(drills)[0]?.detail).toContain("demo is not as it was: db: schema f before, other now");
  });

  test("a whole walk that is not promoted runs no backup plan", async () => {
    const { stage } = stageOf({ play: (order) => (order.kind === "walk" ? { outcome: "undone", text: "no" } : {}) });
    const { drills } = await walked(stage);
    expect(failures(drills)).toHaveLength(1);
    expect(drills.some(({ kind }) => kind === "backup")).toBe(false);
  });

  test("a backup plan that does not serve fails", async () => {
    const { drills } = await walked(stageOf({ isServed: false }).stage);
    expect(failures(drills)[0]).toMatchObject({ kind: "backup", detail: "ran" });
  });
});

describe("what stands otherwise", () => {
  const [first, second] = BEFORE.workloads["gateway/tokyo"]!.instances;
  const tokyo = (instances: Standing["workloads"][string]["instances"]): Standing => ({
    ...BEFORE,
    workloads: { "gateway/tokyo": { region: "tokyo", instances } },
  });

  test.each([
    {
      name: "another id and address are the same",
      after: tokyo([{ ...first!, id: "z", address: "127.0.0.1:9" }, second!]),
      count: 0,
    },
    { name: "a missing instance", after: tokyo([first!]), count: 1 },
    { name: "another digest", after: tokyo([{ ...first!, digest: "sha256:other" }, second!]), count: 1 },
    { name: "a dead one", after: tokyo([{ ...first!, ready: false }, second!]), count: 1 },
    { name: "another weight", after: tokyo([{ ...first!, weightPct: 50 }, second!]), count: 1 },
    { name: "a place that is gone", after: { ...BEFORE, workloads: {} }, count: 1 },
    { name: "a store that is gone", after: { ...BEFORE, metadata: {} }, count: 1 },
    {
      name: "one more migration",
      after: { ...BEFORE, metadata: { db: { ...BEFORE.metadata["db"]!, applied: [{ name: "0001_x", sha256: "s" }] } } },
      count: 1,
    },
  ])("$name", ({ after, count }) => {
    expect(differencesOf(BEFORE, after)).toHaveLength(count);
  });
});
