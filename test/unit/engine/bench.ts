import { begin } from "../../../src/engine/begin.ts";
import { decide } from "../../../src/engine/decide.ts";
import type { Effect } from "../../../src/engine/effect.ts";
import type { EffectResult, Fact } from "../../../src/engine/fact.ts";
import type { Decision, Run } from "../../../src/engine/run.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { VerdictState } from "../../../src/guard/verdict.ts";
import { INSTANCES, OLD } from "./graph.ts";

type Timeless<Kind extends Fact["kind"]> = Omit<Extract<Fact, { kind: Kind }>, "at">;
type Untimed =
  | Timeless<"verdict">
  | Timeless<"asked">
  | Timeless<"effect-done">
  | Timeless<"effect-failed">
  | Timeless<"conductor-started">;

/** A world of one line: every effect comes true at once, in order. */
export class Bench {
  run: Run;
  readonly sent: Effect[] = [];
  private readonly applied: string[] = [];
  private readonly cells: Record<string, { digest: string; release: string; ordinal: number; weightPct: number }[]> =
    {};
  private at = 1_000;

  constructor(graph: Graph, instances = INSTANCES) {
    for (const region of graph.regions)
      this.cells[region] = Array.from({ length: instances }, (_, index) => ({
        ...OLD,
        ordinal: index + 1,
        weightPct: 100,
      }));
    const first = begin({
      kind: "opened",
      run: "r",
      graph,
      planFingerprint: "p",
      graphFingerprint: "g",
      version: "0",
      epoch: 1,
    });
    this.run = first.run;
    this.sent.push(...first.effects);
  }

  tell(fact: Untimed): Decision {
    this.at += 1;
    const decision = decide(this.run, { ...fact, at: this.at });
    this.run = decision.run;
    this.sent.push(...decision.effects);
    return decision;
  }

  say(state: VerdictState, regions: readonly string[] = []): Decision {
    return this.tell({
      kind: "verdict",
      verdict: { state, reason: `it is ${state}`, regions, at: this.at, streams: [] },
    });
  }

  /** The conductor is gone; the next one picks the run up. */
  resume(): Decision {
    return this.tell({ kind: "conductor-started", epoch: this.run.epoch + 1, host: "h", pid: 1, version: "0" });
  }

  /** Answers pending effects until `until` says so, or nothing is pending that has an answer now. */
  play(until: (run: Run) => boolean = () => false): this {
    for (let turn = 0; turn < 500 && !until(this.run); turn += 1) {
      const effect = Object.values(this.run.pending).find(
        (one) =>
          one.kind !== "timer" || one.id.includes("soak") || one.id.startsWith("retry") || one.next !== undefined,
      );
      if (effect === undefined) return this;
      this.tell({ kind: "effect-done", id: effect.id, result: this.resultOf(effect) });
    }
    return this;
  }

  kinds(): readonly string[] {
    return this.sent.map((effect) => effect.kind);
  }

  look(region: string) {
    return this.state(region);
  }

  private state(region: string) {
    return {
      region,
      instances: (this.cells[region] ?? []).map((cell) => ({
        id: `${cell.release}-${cell.ordinal}`,
        ...cell,
        ready: true,
      })),
    };
  }

  private resultOf(effect: Effect): EffectResult {
    switch (effect.kind) {
      case "observe-workload":
        return { kind: "workload", state: this.state(effect.region) };
      case "observe-metadata":
        return {
          kind: "metadata",
          state: {
            fingerprint: this.applied.join(),
            applied: this.applied.map((name) => ({ name, sha256: name })),
            server: "x",
          },
        };
      case "shape": {
        const cells = this.cells[effect.region] ?? [];
        for (const { count, ...release } of effect.shape.releases)
          for (let ordinal = 1; ordinal <= count; ordinal += 1)
            if (!cells.some((cell) => cell.digest === release.digest && cell.ordinal === ordinal))
              cells.push({ ...release, ordinal, weightPct: 0 });
        this.cells[effect.region] = cells.filter((cell) =>
          effect.shape.releases.some((one) => one.digest === cell.digest && cell.ordinal <= one.count),
        );
        return { kind: "workload", state: this.state(effect.region) };
      }
      case "weigh":
        for (const cell of this.cells[effect.region] ?? []) {
          const rule = effect.weighing.find((one) => one.digest === cell.digest);
          if (rule !== undefined) cell.weightPct = cell.ordinal <= rule.admitted ? rule.weightPct : 0;
        }
        return { kind: "weighed" };
      case "migrate":
        for (const name of effect.names) {
          const at = this.applied.indexOf(name);
          if (effect.direction === "up" && at < 0) this.applied.push(name);
          if (effect.direction === "down" && at >= 0) this.applied.splice(at, 1);
        }
        return { kind: "migrated", state: { fingerprint: this.applied.join(), applied: [], server: "x" }, reports: [] };
      case "watch":
        return {
          kind: "evidence",
          verdict: { state: "healthy", reason: "clean", regions: [], at: this.at, streams: [] },
        };
      case "prove":
        return { kind: "proof", result: { kind: "proved", outcomes: 92, ms: 1 } };
      case "timer":
        return { kind: "elapsed" };
      case "run":
        return { kind: "ran", output: "", ms: 1 };
      case "verify":
      case "mark":
      case "ask":
      case "notify":
      case "cancel":
        return { kind: "verified" };
    }
  }
}

/** A run that is at the move whose id ends so. */
export const isAt = (id: string) => (run: Run) =>
  run.phase.kind === "moving" && run.graph.moves[run.next]?.id.endsWith(id) === true;
/** How it ended, or where it is. */
export const ended = (run: Run) => (run.phase.kind === "ended" ? run.phase.outcome : run.phase.kind);
