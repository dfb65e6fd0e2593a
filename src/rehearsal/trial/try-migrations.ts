import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Migration } from "../../plan/model.ts";
import type { Clone, TracedRun, TrialGround, Trials } from "../../ports/trials.ts";
import { applyAllows } from "./allowed.ts";
import { assertNotSame } from "./assert-not-same.ts";
import { cameWith, differencesOf, surroundingsOf } from "./differences.ts";
import { judgeLoad } from "./judge-load.ts";
import { judgeRun } from "./judge-run.ts";
import type { TrialOrder } from "./order.ts";
import { Panel } from "./panel.ts";
import type { TrialFinding, TrialResult, TriedLoad, TriedMigration } from "./result.ts";
import { rolloutOf } from "./rollout.ts";
import type { Rollout, RolloutStep } from "./rollout.ts";
import { RULES } from "./rules.ts";

export type TrialProgress = { trying(what: string): void };

/** How long the reader and the writer stand in the way, and how often each component calls, in ms. */
const LOAD = { everyMs: 20, readerMs: 1_500, writerMs: 700 };

/**
 * Tries every migration that the plan would apply on clones of the demo store: up, verified, asked by every release that is served
 * there, down, the same as before, up again; then by the runner under load, both ways. Nothing is left behind.
 * Resolves with what was found; rejects when it could not be tried: `TRIAL_REFUSED`, `STATEMENTS_MALFORMED`, `METADATA_UNREACHABLE`.
 */
export async function tryMigrations(
  order: TrialOrder,
  trials: Trials,
  how: { readonly now: () => number; readonly progress: TrialProgress; readonly signal: AbortSignal },
): Promise<TrialResult> {
  const startedAt = how.now();
  const demo = await trials.identify(how.signal);
  for (const production of order.production) assertNotSame(demo, production);
  how.progress.trying(`a copy of ${order.store} is made`);
  const ground = await trials.open(how.signal);
  try {
    const trial = new Trial(order, ground, how);
    await trial.run();
    return { ...trial.result(), ms: Math.round(how.now() - startedAt) };
  } finally {
    await ground.close();
  }
}

type How = Parameters<typeof tryMigrations>[2];

class Trial {
  private readonly order: TrialOrder;
  private readonly ground: TrialGround;
  private readonly how: How;
  private readonly listed: TrialOrder["releases"];
  private readonly rollout: Rollout;
  private readonly panel: Panel;
  private readonly cloneMs: number[] = [];
  private readonly migrations: TriedMigration[] = [];
  private readonly loads: TriedLoad[] = [];
  private readonly findings: TrialFinding[] = [];
  private readonly notes: string[] = [];

  constructor(order: TrialOrder, ground: TrialGround, how: How) {
    const pending = order.migrations.map(({ name }) => name).filter((name) => !order.applied.includes(name));
    this.listed = order.releases.filter(({ queries }) => queries.length > 0);
    const components = [...new Set(this.listed.map(({ component }) => component))];
    this.order = order;
    this.ground = ground;
    this.how = how;
    this.rollout = rolloutOf(order.graph, order.store, components, pending);
    this.panel = new Panel(this.listed, this.rollout);
  }

  async run(): Promise<void> {
    if (this.rollout.steps.length === 0) {
      this.notes.push(`nothing to try: ${this.order.store} has every migration that the plan applies`);
      return;
    }
    for (const { release, queries } of this.order.releases)
      if (queries.length === 0)
        this.notes.push(
          `${release} brings no list of its statements (statements.json in its folder), so none was asked`,
        );
    if (this.order.releases.length === 0) this.notes.push(`no component of the plan comes to ${this.order.store}`);
    const isSound = await this.tryEach();
    if (isSound && this.listed.length > 0) await this.underLoad();
    else if (!isSound) this.notes.push("not run under load: what was found before already stands against it");
  }

  result(): Omit<TrialResult, "ms"> {
    return {
      store: this.order.store,
      ground: this.ground.facts,
      cloneMs: this.cloneMs,
      migrations: this.migrations,
      asked: this.panel.asked,
      loads: this.loads,
      findings: [...this.panel.findings, ...this.findings],
      notes: this.notes,
    };
  }

  /** Resolves with whether every migration went up, and serves whom it has to serve. */
  private async tryEach(): Promise<boolean> {
    const clone = await this.clone();
    await this.panel.start(clone, this.how.signal);
    for (const [index, step] of this.rollout.steps.entries()) {
      this.how.signal.throwIfAborted();
      if (!(await this.tryOne(clone, step, index))) return false;
    }
    await clone.drop();
    return !this.panel.findings.some(({ severity }) => severity === "block");
  }

  private async tryOne(clone: Clone, step: RolloutStep, index: number): Promise<boolean> {
    const { signal, progress } = this.how;
    const migration = this.migration(step.migration);
    progress.trying(`${step.migration} up`);
    const before = await clone.look(signal);
    const up = await clone.run(migration, "up", signal);
    this.judge(migration, up, new Set());
    if (up.failure !== undefined) {
      this.migrations.push({ name: step.migration, up });
      return false;
    }
    const after = await clone.look(signal);
    const around = surroundingsOf(before, after, up);
    progress.trying(`the releases that ${step.migration} has to serve`);
    const state = { index: index + 1, step, direction: "up" as const, around, file: up.file };
    await this.panel.ask(clone, state, signal, { clone: () => this.cloneBefore(index), migration });
    if (step.irreversible) {
      this.migrations.push({ name: step.migration, up });
      this.notes.push(
        `${step.migration} is not taken back: the plan calls it irreversible, and its backup plan is run instead`,
      );
      return true;
    }
    progress.trying(`${step.migration} down, and up again`);
    const down = await clone.run(migration, "down", signal);
    this.judge(migration, down, cameWith(before, after));
    if (down.failure !== undefined) {
      this.migrations.push({ name: step.migration, up, down });
      return false;
    }
    this.compare(step, "irreversible-down", down.file, differencesOf(before, await clone.look(signal)));
    await this.panel.ask(clone, { index, step, direction: "down", around, file: down.file }, signal, undefined);
    const again = await clone.run(migration, "up", signal);
    this.migrations.push({ name: step.migration, up, down, again });
    if (again.failure !== undefined) {
      this.compare(step, "not-repeatable", up.file, [
        `it failed with ${again.failure.state}: ${again.failure.message}`,
      ]);
      return false;
    }
    const repeated = await clone.look(signal);
    // Rows may hold the time at which they were written; the structure may not.
    if (repeated.fingerprint !== after.fingerprint)
      this.compare(step, "not-repeatable", up.file, differencesOf(after, repeated));
    return true;
  }

  private judge(migration: Migration, run: TracedRun, own: ReadonlySet<string>): void {
    const found = judgeRun(migration.name, run, migration.transactional, own);
    const { left, notes } = applyAllows(migration, run, found);
    this.findings.push(...left);
    this.notes.push(...notes);
  }

  private compare(
    { migration }: RolloutStep,
    rule: "irreversible-down" | "not-repeatable",
    file: string,
    differences: readonly string[],
  ): void {
    if (differences.length === 0) return;
    const [what, all] = [
      rule === "irreversible-down" ? "up and down" : "up, down and up again",
      differences.slice(0, MOST),
    ];
    const more = differences.length > MOST ? ` and ${differences.length - MOST} more` : "";
    this.findings.push({
      rule,
      severity: RULES[rule].severity,
      migration,
      file,
      line: 0,
      statement: 0,
      message: `${what} leaves the store otherwise than it was: ${all.join("; ")}${more}`,
      hint: RULES[rule].hint,
    });
  }

  /** Both ways, by the runner: a way back is taken while users call as well. */
  private async underLoad(): Promise<void> {
    const clone = await this.clone();
    const moves = [...Map.groupBy(this.rollout.steps, ({ step }) => step)];
    for (const [at, [step, steps]] of moves.entries()) {
      const isLast = at === moves.length - 1;
      const [first] = steps;
      if (!(await this.load(clone, step, steps, "up")) || first === undefined) return;
      if (first.irreversible) continue;
      if (!(await this.load(clone, step, steps.toReversed(), "down"))) return;
      if (!isLast) await this.runQuietly(clone, steps);
    }
    await clone.drop();
  }

  private async load(
    clone: Clone,
    id: string,
    steps: readonly RolloutStep[],
    direction: "up" | "down",
  ): Promise<boolean> {
    const indexes = steps.map((step) => this.rollout.steps.indexOf(step));
    const askings = this.panel.callers(Math.min(...indexes), Math.max(...indexes) + 1);
    const names = steps.map(({ migration }) => migration);
    if (askings.length === 0) {
      this.notes.push(`${names.join(", ")} not run under load: no release is served before and after`);
      await this.byRunner(clone, steps, direction);
      return true;
    }
    for (let tries = 1; ; tries += 1) {
      this.how.progress.trying(`${names.join(", ")} ${direction} under load`);
      const measure = await clone.load(
        { askings, direction, names, migrations: this.order.migrations, abortMs: this.order.abortMs, ...LOAD },
        this.how.signal,
      );
      const load: TriedLoad = {
        ...measure,
        step: id,
        direction,
        names,
        releases: askings.map(({ release }) => release),
      };
      const found = judgeLoad(load, `${names.at(-1) ?? ""}.${direction}.sql`);
      // A machine that stood still says nothing; asked once more, on the same way, it may.
      if (tries === 1 && found.some(({ rule }) => rule === "order-load-unproven")) {
        await this.turnRound(clone, steps, direction);
        continue;
      }
      this.loads.push(load);
      this.findings.push(...found);
      return load.failure === undefined;
    }
  }

  private turnRound(clone: Clone, steps: readonly RolloutStep[], direction: "up" | "down"): Promise<void> {
    return this.byRunner(clone, steps.toReversed(), direction === "up" ? "down" : "up");
  }

  private runQuietly(clone: Clone, steps: readonly RolloutStep[]): Promise<void> {
    return this.byRunner(clone, steps, "up");
  }

  private async byRunner(clone: Clone, steps: readonly RolloutStep[], direction: "up" | "down"): Promise<void> {
    const names = steps.map(({ migration }) => migration);
    const quiet = { askings: [], abortMs: this.order.abortMs, everyMs: LOAD.everyMs, readerMs: 0, writerMs: 0 };
    const { failure } = await clone.load(
      { ...quiet, direction, names, migrations: this.order.migrations },
      this.how.signal,
    );
    if (failure !== undefined)
      throw new UpgradeError("REHEARSAL_FAILED", `${names.join(", ")} did not go ${direction} on a clone: ${failure}`, {
        hint: "rehearse again; what went once and not the second time depends on something that is not in its files",
      });
  }

  private async clone(): Promise<Clone> {
    const clone = await this.ground.clone(this.how.signal);
    this.cloneMs.push(clone.ms);
    return clone;
  }

  /** A clone in the state in which the migration at `index` would find it. */
  private async cloneBefore(index: number): Promise<Clone> {
    const clone = await this.clone();
    for (const { migration } of this.rollout.steps.slice(0, index))
      await clone.run(this.migration(migration), "up", this.how.signal);
    return clone;
  }

  private migration(name: string): Migration {
    const found = this.order.migrations.find((one) => one.name === name);
    if (found === undefined) throw new Bug(`the graph applies ${name}, which is in no folder`);
    return found;
  }
}

/** Differences that a message shows. */
const MOST = 5;
