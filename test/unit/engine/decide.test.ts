import { describe, expect, test } from "vitest";
import { decide } from "../../../src/engine/decide.ts";
import { eventsOf } from "../../../src/events/events-of.ts";
import type { EffectResult } from "../../../src/engine/fact.ts";
import type { VerdictState } from "../../../src/guard/verdict.ts";
import { Bench, ended, isAt } from "./bench.ts";
import { graphOf, INSTANCES, OLD } from "./graph.ts";

describe("the way forward", () => {
  test("a plan without trouble promotes, and every instance runs what was promised", () => {
    const bench = new Bench(graphOf()).play();
    expect(ended(bench.run)).toBe("promoted");
  });

  test("nothing is touched before the world was looked at and the guard gave evidence", () => {
    const bench = new Bench(graphOf());
    expect(new Set(bench.kinds())).toEqual(new Set(["observe-workload", "observe-metadata"]));
    bench.play((run) => run.phase.kind === "gating");
    expect(bench.kinds()).not.toContain("migrate");
    expect(bench.kinds()).toContain("watch");
  });

  test("a world that is there already is left alone", () => {
    const graph = graphOf({ target: OLD, migrate: false });
    expect(ended(new Bench(graph).play().run)).toBe("unchanged");
  });

  test("instances that do not take full traffic before the start refuse the run", () => {
    const bench = new Bench(graphOf({ instances: INSTANCES + 1 })).play();
    expect(ended(bench.run)).toBe("refused");
    expect(bench.run.touched).toEqual([]);
  });

  test("a late or doubled answer changes nothing", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/admit"));
    const before = bench.run;
    const decision = bench.tell({ kind: "effect-done", id: "1-migrate-db-expand", result: { kind: "verified" } });
    expect(decision.effects).toEqual([]);
    expect({ ...decision.run, facts: 0 }).toEqual({ ...before, facts: 0 });
  });
});

describe("production that is worse than the plan states", () => {
  const contradicts = "amend in tokyo: 41 of 9812 failed, 0.42 % where at most 0.1 % is stated";
  const said = (state: VerdictState) =>
    ({ kind: "verdict", verdict: { state, reason: "x", regions: [], at: 1, streams: [], contradicts } }) as const;
  const evidence = {
    kind: "evidence",
    verdict: { state: "healthy", reason: "clean", regions: [], at: 1, streams: [], contradicts },
  } as const;
  const answer = (bench: Bench): void => {
    const watch = Object.values(bench.run.pending).find(({ kind }) => kind === "watch");
    bench.tell({ kind: "effect-done", id: watch?.id ?? "", result: evidence });
  };
  const gate = (touched: number): Bench =>
    new Bench(graphOf()).play((run) => run.phase.kind === "gating" && run.touched.length === touched);

  test("is refused before the first step, with the place and the counts, and nothing was touched", () => {
    const bench = gate(0);
    answer(bench);
    expect(bench.run.phase).toMatchObject({
      kind: "ended",
      outcome: "refused",
      text: expect.stringContaining(`production is failing now: ${contradicts}`) as string,
    });
    expect(bench.run.touched).toEqual([]);
    expect(bench.run.pending).toEqual({});
  });

  test("is refused as soon as the guard says so, without waiting for patience to end", () => {
    const bench = gate(0);
    bench.tell(said("disturbed"));
    expect(ended(bench.run)).toBe("refused");
  });

  test("is waited for when it is only disturbed", () => {
    const bench = gate(0);
    bench.say("disturbed");
    expect(ended(bench.run)).toBe("gating");
  });

  test("bars nobody from going on once a step was taken, nor from going back", () => {
    const on = gate(1);
    answer(on);
    expect(ended(on.play().run)).toBe("promoted");
    const back = gate(1);
    back.tell(said("failing"));
    expect(ended(back.play().run)).toBe("undone");
  });
});

describe("the way back", () => {
  test("suspect withdraws the new instances and undoes nothing yet", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
    const decision = bench.say("suspect", ["tokyo"]);
    expect(decision.run.phase.kind).toBe("withdrawn");
    expect(
      decision.effects.filter((effect) => effect.kind === "weigh").map((effect) => effect.weighing.at(-1)?.admitted),
    ).toEqual([0]);
  });

  test("a suspicion that clears lets the run go on", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
    bench.say("suspect", ["tokyo"]);
    bench.say("healthy");
    expect(ended(bench.play().run)).toBe("promoted");
  });

  describe("a suspicion that turns out to be the servers", () => {
    const REASON = "it is disturbed";
    const FALLBACK = /^suspicion:/;
    const awaits = (bench: Bench, id: RegExp) => Object.keys(bench.run.pending).filter((one) => id.test(one));
    const gone = (): Bench => {
      const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
      bench.say("suspect", ["tokyo"]);
      bench.say("disturbed", ["tokyo"]);
      return bench;
    };

    test("is waited for: it takes nothing back because the suspicion did not clear, and withdraws all the same", () => {
      const bench = gone();
      expect(bench.run.phase).toEqual({ kind: "withdrawn", regions: ["tokyo"], why: REASON });
      expect(awaits(bench, FALLBACK)).toEqual([]);
      expect(bench.sent).toContainEqual(
        expect.objectContaining({ kind: "cancel", target: expect.stringMatching(FALLBACK) }),
      );
      expect(awaits(bench, /^withdraw:gateway\/tokyo/)).toHaveLength(1);
      expect(bench.sent.at(-2)).toMatchObject({ kind: "notify", notice: "held", text: `holding: ${REASON}` });
      bench.play();
      bench.say("disturbed", ["frankfurt", "tokyo"]);
      bench.say("unknown");
      expect(bench.run.phase).toMatchObject({ kind: "withdrawn", why: REASON });
    });

    test("is told as what it is: withdrawn, then held, and withdrawn once more when the guard suspects anew", () => {
      const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
      const told = (["suspect", "disturbed", "disturbed", "suspect"] as const).map((state) => {
        const before = bench.run;
        const { run, effects } = bench.say(state, ["tokyo"]);
        const fact = { kind: "sighted", at: 0, component: "gateway", state: bench.look("tokyo") } as const;
        return eventsOf({ seq: 1, fact, effects, before, after: run, startedAt: new Map() }).map(({ kind }) => kind);
      });
      expect(told).toEqual([["withdrawn"], ["held"], [], ["withdrawn"]]);
    });

    test("goes on with health, after a look at the world and on new evidence", () => {
      const bench = gone().play();
      const from = bench.sent.length;
      bench.say("healthy");
      bench.play((run) => run.phase.kind === "gating");
      const kinds = bench.sent.slice(from).map(({ kind }) => kind);
      expect(kinds.indexOf("observe-workload")).toBeGreaterThan(kinds.indexOf("weigh"));
      expect(kinds.indexOf("watch")).toBeGreaterThan(kinds.lastIndexOf("observe-workload"));
      expect(ended(bench.play().run)).toBe("promoted");
    });

    test("is halted with new instances out of traffic when patience ends, and is no change of somebody else's to who resumes it", () => {
      const bench = gone().play();
      const [patience = ""] = awaits(bench, /^hold-patience:/);
      bench.tell({ kind: "effect-done", id: patience, result: { kind: "elapsed" } });
      expect(bench.run.phase).toMatchObject({ kind: "halted", code: "NO_EVIDENCE", withdrawn: ["tokyo"] });
      bench.resume();
      expect(bench.run.phase).toMatchObject({ kind: "withdrawn", regions: ["tokyo"] });
      expect(awaits(bench, /^withdraw:gateway\/tokyo/)).toHaveLength(1);
      bench.play();
      bench.say("healthy");
      expect(ended(bench.play().run)).toBe("promoted");
    });

    test("is waited for by the next conductor too, also when the one before died while it readmitted", () => {
      const early = gone();
      early.resume();
      expect(early.run.phase).toEqual({ kind: "withdrawn", regions: ["tokyo"], why: REASON });
      const late = gone().play();
      late.say("healthy");
      late.resume();
      for (const bench of [early, late]) {
        bench.play();
        bench.say("healthy");
        expect(ended(bench.play().run)).toBe("promoted");
      }
    });

    test("is a suspicion again when the guard suspects anew, and a failure when it is certain", () => {
      const bench = gone().play();
      bench.say("suspect", ["tokyo", "frankfurt"]);
      expect(bench.run.phase).toEqual({ kind: "withdrawn", regions: ["tokyo"] });
      expect([awaits(bench, FALLBACK).length, awaits(bench, /^hold-patience:/).length]).toEqual([1, 0]);
      bench.say("disturbed");
      bench.say("failing");
      expect(ended(bench.play().run)).toBe("undone");
    });
  });

  test("failing after a roll brings the code back and keeps the additive expand", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
    bench.say("failing");
    expect(ended(bench.play().run)).toBe("undone");
    expect(bench.run.kept).toEqual(["1-migrate-db-expand"]);
    expect(bench.sent.some((effect) => effect.kind === "migrate" && effect.direction === "down")).toBe(false);
  });

  test("failing after a migration takes the migration back", () => {
    const bench = new Bench(graphOf()).play((run) => run.phase.kind === "gating" && run.touched.length === 1);
    bench.say("failing");
    expect(ended(bench.play().run)).toBe("undone");
    expect(bench.run.undone).toEqual(["1-migrate-db-expand"]);
  });

  // flagger#1186: after a migration, a rollback that is done all the same breaks more than it mends.
  test("past the point of no return the backup plan runs and the old code does not come back", () => {
    const bench = new Bench(graphOf({ contract: true })).play(
      (run) => run.touched.some((id) => id.includes("contract")) && run.phase.kind === "gating",
    );
    bench.say("failing");
    expect(ended(bench.play().run)).toBe("backed-up");
    expect(bench.sent.some((effect) => effect.kind === "run")).toBe(true);
    expect(bench.run.undone).toEqual([]);
  });

  test("disturbed holds and takes nothing back, and new evidence lets it go on", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
    bench.say("disturbed");
    expect(bench.run.phase.kind).toBe("holding");
    expect(ended(bench.play().run)).toBe("promoted");
  });

  // containers-roadmap#1206: what started, and ended a little later, was counted by nobody.
  test.each([
    {
      name: "new ones that die by themselves are a release that fails, and are taken back",
      dead: "gateway@2.0",
      ends: "undone",
    },
    { name: "old ones that die are waited for", dead: "gateway@1.0", ends: "holding" },
  ])("$name", ({ dead, ends }) => {
    const bench = new Bench(graphOf()).play((run) => run.phase.kind === "gating" && run.touched.length === 3);
    const sick = () => {
      const state = bench.look("tokyo");
      return { ...state, instances: state.instances.map((one) => ({ ...one, ready: one.release !== dead })) };
    };
    let run = decide(bench.run, { kind: "sighted", at: 10_000, component: "gateway", state: sick() }).run;
    expect(run.phase.kind).toBe("holding");
    for (let at = 10_000; at < 20_000 && run.phase.kind === "holding"; at += 1_000) {
      for (const effect of Object.values(run.pending)) {
        if (effect.id.startsWith("hold-patience")) continue;
        const result: EffectResult =
          effect.kind === "observe-workload"
            ? { kind: "workload", state: effect.region === "tokyo" ? sick() : bench.look(effect.region) }
            : { kind: "elapsed" };
        run = decide(run, { kind: "effect-done", at, id: effect.id, result }).run;
      }
    }
    bench.run = run;
    expect(run.phase.kind === "holding" ? "holding" : ended(bench.play().run)).toBe(ends);
  });

  test("an undo that fails for good is stranded, loudly", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
    bench.say("failing");
    bench.play((run) => run.phase.kind === "undoing" && run.phase.stage === "bring-back");
    const [effect] = Object.values(bench.run.pending);
    bench.tell({
      kind: "effect-failed",
      id: effect?.id ?? "",
      failure: { code: "VERIFY_FAILED", message: "no", hint: "call", nature: "final" },
    });
    expect(ended(bench.run)).toBe("stranded");
    expect(bench.sent.at(-1)).toMatchObject({ kind: "notify", notice: "stranded" });
  });
});

describe("people", () => {
  test("asked to halt, a batch is finished first", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/start"));
    bench.tell({ kind: "asked", what: "halt", by: "SIGINT" });
    bench.play();
    expect(bench.run.phase.kind).toBe("halted");
    expect(bench.run.graph.moves[bench.run.next]?.id).toMatch(/batch-2\/start$/);
  });

  test("a promoted run can be rolled back until its contract", () => {
    const open = new Bench(graphOf()).play();
    open.tell({ kind: "asked", what: "undo", by: "ops" });
    expect(ended(open.play().run)).toBe("undone");
    const closed = new Bench(graphOf({ contract: true })).play();
    closed.tell({ kind: "asked", what: "undo", by: "ops" });
    expect(ended(closed.run)).toBe("promoted");
  });

  test("a conductor that comes back looks first and goes forward only on new evidence", () => {
    const bench = new Bench(graphOf()).play(isAt("batch-1/retire"));
    const decision = decide(bench.run, {
      kind: "conductor-started",
      at: 9_999,
      epoch: 2,
      host: "h",
      pid: 1,
      version: "0",
    });
    expect(decision.run.phase.kind).toBe("holding");
    expect(decision.run.isEvidenced).toBe(false);
    expect(
      decision.effects.some(
        (effect) => effect.kind === "shape" || effect.kind === "weigh" || effect.kind === "migrate",
      ),
    ).toBe(false);
  });
});
