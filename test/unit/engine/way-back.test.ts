import { describe, expect, test } from "vitest";
import type { Effect } from "../../../src/engine/effect.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Move } from "../../../src/graph/move.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import { ENVIRONMENT, located, MIGRATIONS, PLAN, planOf, RELEASES } from "../plan/plans.ts";
import { Bench, ended, isAt } from "./bench.ts";
import { graphOf } from "./graph.ts";

// What stood in the way of a rollback elsewhere: gates, canary steps, approvals, freeze windows, editions.
const APPROVAL: Move = {
  kind: "approve",
  id: "9-approve",
  step: 9,
  title: "approval by ops",
  who: "ops",
  deadlineMs: 0,
  retries: 0,
};
/** An approval before this part of the plan, and another one at the end. */
function approved(before = "wave-2"): Graph {
  const graph = graphOf();
  const at = graph.moves.findIndex(({ id }) => id.includes(before));
  const moves = [...graph.moves.slice(0, at), APPROVAL, ...graph.moves.slice(at)];
  return { ...graph, moves: [...moves, { ...APPROVAL, id: "10-approve" }] };
}
const since = (bench: Bench, act: () => void): readonly Effect[] => {
  const from = bench.sent.length;
  act();
  return bench.sent.slice(from);
};
const kindsOf = (effects: readonly Effect[]): ReadonlySet<string> => new Set(effects.map(({ kind }) => kind));

describe("a run that waits at an approval", () => {
  // Elsewhere 18 checks failed at such a gate, where 5 were allowed, and nothing was taken back.
  test("turns back when users fail meanwhile, and waits for nobody to say so (flagger#1801)", () => {
    const bench = new Bench(approved()).play(isAt("approve"));
    expect(bench.run.phase.kind).toBe("moving");
    bench.say("failing");
    expect(ended(bench.play().run)).toBe("undone");
  });

  test("takes new instances out of traffic on suspicion, as anywhere else (flagger#1801)", () => {
    const bench = new Bench(approved("wave-1/batch-3")).play(isAt("approve"));
    const effects = since(bench, () => bench.say("suspect"));
    expect(bench.run.phase.kind).toBe("withdrawn");
    expect(effects.filter(({ kind }) => kind === "weigh").length).toBeGreaterThan(0);
  });
});

describe("the way back", () => {
  test("is no second rollout: no proof, no soak, no evidence and no approval stands before the old instances are back, and all regions go at once (nomad#10882)", () => {
    const bench = new Bench(approved()).play(isAt("approve"));
    bench.tell({ kind: "asked", what: "approve", by: "ops" });
    bench.play(isAt("wave-2/batch-1/retire"));
    const effects = since(bench, () => {
      bench.say("failing");
      bench.play((run) => run.phase.kind === "checking");
    });
    expect(bench.run.phase.kind).toBe("checking");
    for (const kind of ["prove", "watch", "ask", "timer"]) expect(kindsOf(effects), kind).not.toContain(kind);
    const brought = effects.filter(({ id }) => id.endsWith(":bring-back"));
    expect(brought.map((effect) => (effect.kind === "shape" ? effect.region : "")).toSorted()).toEqual([
      "frankfurt",
      "tokyo",
    ]);
  });

  test("is open to a run that somebody stopped, at once and without a word from anybody else (kargo#1422)", () => {
    const bench = new Bench(approved()).play(isAt("wave-1/batch-1/start"));
    bench.tell({ kind: "asked", what: "halt", by: "whoever pulls the cord" });
    expect(ended(bench.play().run)).toBe("halted");
    const effects = since(bench, () => {
      bench.tell({ kind: "asked", what: "undo", by: "ops" });
      bench.play();
    });
    expect(ended(bench.run)).toBe("undone");
    expect(kindsOf(effects)).not.toContain("ask");
  });

  test("of a promoted run asks for no approval either", () => {
    const bench = new Bench(approved());
    for (let turn = 0; turn < 3; turn += 1) {
      bench.play();
      bench.tell({ kind: "asked", what: "approve", by: "ops" });
    }
    expect(ended(bench.play().run)).toBe("promoted");
    const effects = since(bench, () => {
      bench.tell({ kind: "asked", what: "undo", by: "ops" });
      bench.play();
    });
    expect(ended(bench.run)).toBe("undone");
    expect(kindsOf(effects)).not.toContain("ask");
  });

  test("is tried again while that may help, and one that was given up can be asked for again (nomad#12940)", () => {
    const bench = new Bench(graphOf({ migrate: false })).play(isAt("batch-1/retire"));
    bench.say("failing");
    bench.play((run) => run.phase.kind === "undoing" && run.phase.stage === "bring-back");
    let failures = 0;
    for (let turn = 0; turn < 40 && bench.run.phase.kind === "undoing"; turn += 1) {
      const [effect] = Object.values(bench.run.pending);
      if (effect?.kind === "timer") bench.tell({ kind: "effect-done", id: effect.id, result: { kind: "elapsed" } });
      else {
        failures += 1;
        const failure = { code: "INSTANCE_NOT_READY", message: "no", hint: "look", nature: "again" } as const;
        bench.tell({ kind: "effect-failed", id: effect?.id ?? "", failure });
      }
    }
    expect(failures).toBe(8);
    expect(ended(bench.run)).toBe("stranded");
    bench.tell({ kind: "asked", what: "undo", by: "ops" });
    expect(ended(bench.play().run)).toBe("undone");
  });

  test("is what a plan gets that asks for nothing: turning back by itself is no option, and no edition has more of it (kargo#1396)", () => {
    const graph = compile({
      plan: planOf(PLAN).value,
      environment: located(parseEnvironment(ENVIRONMENT, "production.yaml")).value,
      releases: located(parseReleases(RELEASES, "releases.yaml")).value,
      migrations: MIGRATIONS,
      sha256: (text) => text,
    });
    const bench = new Bench(graph, 6).play(isAt("wave-1/batch-2/retire"));
    expect(bench.run.phase.kind).toBe("moving");
    bench.say("failing");
    expect(ended(bench.play().run)).toBe("undone");
  });
});
