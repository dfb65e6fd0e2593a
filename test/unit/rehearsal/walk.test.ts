import { describe, expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Drill } from "../../../src/rehearsal/drill.ts";
import { drillsOf, pastReturnOf, undrilled, type WalkOrder } from "../../../src/rehearsal/drills-of.ts";
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
};

/** A demo environment of one line: every run ends as promised, unless the script says otherwise. */
function stageOf({ play = () => ({}), look = () => BEFORE }: Script = {}) {
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
        evidence: [],
        dark: [],
        heldAfter: order.strikes.map(({ move }) => move),
        hasStruck: true,
        ms: 1,
        ...play(order),
      });
    },
    clear: () => {
      cleared += 1;
      return Promise.resolve();
    },
  };
  return { stage, played, cleared: () => cleared };
}

const walked = (stage: Stage, done: () => void = () => {}) =>
  walk(GRAPH, stage, {
    signal: new AbortController().signal,
    progress: { starting: () => {}, drilled: () => {} },
    notes: { before: () => Promise.resolve(), done: () => Promise.resolve(done()) },
  });
const failures = (drills: readonly Drill[]) => drills.filter(({ outcome }) => outcome === "failed");

describe("the walk", () => {
  test("drills every step and every fault, then goes past the point of no return, and walks the whole plan last", async () => {
    const { stage, played, cleared } = stageOf();
    const { drills } = await walked(stage);
    expect(failures(drills)).toEqual([]);
    const forward = pastReturnOf(GRAPH).map(({ name }) => name);
    expect(forward).toEqual([expect.stringMatching(/^backup plan rebuild: users fail after contract/)]);
    expect(played.slice(drillsOf(GRAPH).length)).toEqual([...forward, "the whole plan"]);
    // What is past the point of no return is not taken back.
    expect(cleared()).toBe(drillsOf(GRAPH).length);
    expect(drills.filter(({ kind, outcome }) => kind === "backup" && outcome === "passed")).toHaveLength(1);
  });

  test.each(["the new release dies", "the conductor is killed"])("in every wave: %s", (what) => {
    const waves = drillsOf(GRAPH)
      .filter(({ name, step }) => name.startsWith(what) && step.includes("/wave-"))
      .map(({ step }) => /wave-\d/.exec(step)?.[0]);
    expect(waves).toEqual(["wave-1", "wave-2"]);
  });

  test("the end of a wave is taken back by itself only where no drill of the next change takes it back from there", () => {
    const undoes = (graph: Graph) =>
      drillsOf(graph).flatMap(({ kind, step }) => (kind === "undo" && step.includes("/wave-") ? [step] : []));
    expect(undoes(GRAPH)).toEqual([]);
    expect(undoes(graphOf())).toEqual([expect.stringMatching(/wave-2.*retire$/)]);
    const said = new Map(undrilled(GRAPH).map(({ step, why }) => [step, why]));
    const lastOf = (wave: string) =>
      GRAPH.moves.findLast(({ id, kind }) => kind === "retire" && id.includes(wave))?.id ?? "";
    expect(said.get(lastOf("wave-1"))).toContain("the conductor is killed takes it back: admit");
    expect(said.get(lastOf("wave-2"))).toContain("fails half-way takes it back: contract");
    // These drills are there.
    for (const what of [/^the conductor is killed: admit .*frankfurt$/, /then the migration fails half-way: contract/])
      expect(
        drillsOf(GRAPH).some(({ name }) => what.test(name)),
        String(what),
      ).toBe(true);
  });

  test("a step that can be taken back and names a backup plan has it run by the engine, because its undo fails", () => {
    const moves = GRAPH.moves.map((move) =>
      move.kind === "migrate" && !move.irreversible ? { ...move, backup: "rebuild" } : move,
    );
    const [order] = drillsOf({ ...GRAPH, moves }).filter(({ kind }) => kind === "backup");
    expect(order?.ends).toEqual(["backed-up"]);
    expect(order?.strikes.flatMap(({ acts }) => acts.map(({ kind }) => kind))).toEqual(["accuse", "break-undo"]);
  });

  test("the times of the whole plan are those of the run that did each move", async () => {
    const { stage } = stageOf({
      play: ({ kind }) =>
        kind === "backup" ? { moves: [{ move: "a", ms: 5 }] } : { moves: ["a", "b"].map((move) => ({ move, ms: 1 })) },
    });
    expect((await walked(stage)).moves).toEqual([
      { move: "a", ms: 5 },
      { move: "b", ms: 1 },
    ]);
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

  const deathsIn = (graph: Graph) =>
    drillsOf(graph).filter(({ strikes }) =>
      strikes.some(({ acts }) => acts.some(({ kind }) => kind === "kill-region")),
    );

  test("servers die in every wave of one run, which holds and goes on each time, and is taken back after the last", () => {
    const acts = deathsIn(graphOf()).map(({ strikes }) => strikes.flatMap((strike) => strike.acts));
    expect(acts).toMatchObject([
      [
        { kind: "kill-region", region: "tokyo", afterwards: "go-on" },
        { kind: "kill-region", region: "frankfurt", afterwards: "turn-back" },
      ],
    ]);
  });

  test("where a migration comes next, the same run goes on to it, and it fails half-way there and nowhere else", () => {
    const [order, ...others] = deathsIn(GRAPH);
    expect(others).toEqual([]);
    expect(order?.name).toMatch(
      /^the servers of tokyo, then of frankfurt die, then the migration fails half-way: contract/,
    );
    expect(order?.strikes.flatMap(({ acts }) => acts)).toMatchObject([
      { kind: "kill-region", afterwards: "go-on" },
      { kind: "kill-region", afterwards: "go-on" },
      { kind: "break-migration", name: "0002_contract" },
    ]);
    const breaks = drillsOf(GRAPH).flatMap(({ strikes }) => strikes.flatMap(({ acts }) => acts));
    expect(breaks.flatMap((act) => (act.kind === "break-migration" ? [act.name] : []))).toEqual([
      "0001_expand",
      "0002_contract",
    ]);
  });

  test("a region that is gone without a hold fails the drill, and says after which move", async () => {
    const [first, second] = deathsIn(GRAPH)[0]?.strikes ?? [];
    const { stage } = stageOf({ play: () => ({ heldAfter: [first?.move ?? ""] }) });
    const { drills } = await walked(stage);
    expect(failures(drills).map(({ detail }) => detail)).toEqual([
      expect.stringContaining(`did not hold while a region was gone after ${second?.move ?? "?"}`),
    ]);
  });

  test("demo that is left otherwise than it was ends the walk, for what came after would prove nothing", async () => {
    const changed: Standing = { ...BEFORE, metadata: { db: { ...BEFORE.metadata["db"]!, fingerprint: "other" } } };
    const { stage, played } = stageOf({ look: (count) => (count < 2 ? BEFORE : changed) });
    const { drills } = await walked(stage);
    expect(played).toHaveLength(2);
    expect(failures(drills)[0]?.detail).toContain("demo is not as it was: db: schema f before, other now");
  });

  test.each([
    { name: "before the point of no return leaves demo to be taken back", moves: [], isDone: false },
    {
      name: "past it leaves nothing that the next rehearsal could take back",
      moves: pastReturnOf(GRAPH).map(({ step }) => ({ move: step, ms: 1 })),
      isDone: true,
    },
  ])("a backup plan that does not end as promised ends the walk; $name", async ({ moves, isDone }) => {
    const { stage, played } = stageOf({
      play: ({ kind }) => (kind === "backup" ? { outcome: "stranded", text: "backup plan rebuild failed", moves } : {}),
    });
    const done: boolean[] = [];
    const { drills } = await walked(stage, () => void done.push(true));
    expect(failures(drills)).toMatchObject([{ kind: "backup", outcome: "failed" }]);
    expect(failures(drills)[0]?.detail).toContain("ended stranded and not backed-up: backup plan rebuild failed");
    expect(played).not.toContain("the whole plan");
    expect(done.length > 0).toBe(isDone);
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
