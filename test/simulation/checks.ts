import type { Run } from "../../src/engine/run.ts";
import type { Notification } from "../../src/ports/notifier.ts";
import type { Fence } from "../../src/ports/fence.ts";
import type { JournalRecord } from "../../src/ports/journal.ts";
import { entryOf, type Entry } from "../../src/runtime/replay.ts";
import { begin } from "../../src/engine/begin.ts";
import { decide } from "../../src/engine/decide.ts";
import { isVisible, touches } from "../../src/graph/move.ts";
import type { Scenario } from "./scenario.ts";
import type { SimClock } from "./sim-clock.ts";
import { INSTANCES, NEW, OLD, REGIONS, type SimWorld, type Witness } from "./sim-world.ts";

/** The promises, checked at every event of a simulated run. */
export class Checks implements Witness {
  readonly problems: string[] = [];
  private readonly scenario: Scenario;
  private readonly clock: SimClock;
  private world: SimWorld | undefined;
  private durable = 0;
  private run: Run | undefined;
  /** P5: what the journal has proved about health so far. */
  private isHealthProved = false;
  private isTripped = false;

  constructor(scenario: Scenario, clock: SimClock) {
    this.scenario = scenario;
    this.clock = clock;
  }

  watch(world: SimWorld): void {
    this.world = world;
  }

  complain(text: string): void {
    this.problems.push(`at ${this.clock.now()}: ${text}`);
  }

  /** P1: a fact is durable before any effect that follows from it is sent. */
  arrived(what: string, fence: Fence, detail: string): void {
    if (fence.seq > this.durable)
      this.complain(
        `P1: ${what} ${detail} arrived with fence ${fence.epoch}.${fence.seq}, but only ${this.durable} records were durable`,
      );
  }

  /** P4: midflight never takes capacity below the floor; what the world takes away is not its doing, and a withdrawal leaves half. */
  capacity(region: string, cause: "shape" | "weigh", was: number, serving: number): void {
    if (serving >= was) return;
    const component = this.scenario.graph.components["gateway"];
    const floorPct = component?.kind === "workload" ? component.floorPct : 100;
    const least = cause === "shape" ? Math.floor((INSTANCES * floorPct) / 100) : Math.ceil(INSTANCES / 2);
    const isDying = this.world?.state(region).instances.some((one) => !one.ready) === true;
    if (serving >= least || isDying) return;
    // After a withdrawal the old ones come back before anything leaves; they may be few until then.
    if (cause === "shape" && this.isTripped && serving >= Math.ceil(INSTANCES / 2)) return;
    this.complain(`P4: ${cause} left ${serving} of ${INSTANCES} serving in ${region}, the floor is ${least}`);
  }

  recorded(entry: Entry, durable: number): void {
    this.durable = durable;
    const before = this.run;
    const decision =
      entry.fact.kind === "opened" ? begin(entry.fact) : before === undefined ? undefined : decide(before, entry.fact);
    if (decision === undefined) return this.complain("a record came before the run was opened");
    this.run = decision.run;
    this.checkEvidence(entry);
    if (decision.run.cause !== undefined) this.isTripped = true;
  }

  /** P5: no step starts unless health was proved since the last one, and not while the guard says anything else. */
  private checkEvidence(entry: Entry): void {
    const { fact } = entry;
    if (fact.kind === "effect-done" && fact.result.kind === "evidence") this.isHealthProved = true;
    if (fact.kind === "verdict" && fact.verdict.state !== "healthy") this.isHealthProved = false;
    if (fact.kind === "conductor-started") this.isHealthProved = false;
    if (fact.kind === "effect-done" && this.moveOf(fact.id) !== undefined && isVisible(this.moveOf(fact.id)!))
      this.isHealthProved = false;
    for (const effect of entry.effects) {
      const move = this.moveOf(effect.id);
      if (move !== undefined && touches(move) && !this.isHealthProved && !this.isRetry(effect.id))
        this.complain(`P5: ${effect.id} was sent without evidence of health`);
    }
  }

  /** The same effect again after its pause is the same step. */
  private isRetry(id: string): boolean {
    return (this.run?.attempts[id] ?? 0) > 0;
  }

  private moveOf(id: string) {
    return this.scenario.graph.moves.find((move) => move.id === id || id.startsWith(`${move.id}#`));
  }

  /** P10: whatever was decided to be told was told, also when the conductor that decided it died. */
  toldEverything(records: readonly JournalRecord[], notifications: readonly Notification[]): void {
    const told = new Set(notifications.map(({ id }) => id));
    for (const { effects } of records.map((record) => entryOf(record)))
      for (const effect of effects)
        if (effect.kind === "notify" && !told.has(`sim-1/${effect.id}`))
          this.complain(`P10: nobody was told of ${effect.id}: ${effect.text}`);
  }

  atEnd(run: Run | undefined, lives: number, notifications: readonly Notification[]): void {
    if (run === undefined) return lives < 12 ? undefined : this.complain("nothing was ever recorded");
    if (run.phase.kind !== "ended") {
      if (run.phase.kind !== "halted") this.complain(`P6: the run was left in ${run.phase.kind}`);
      return;
    }
    switch (run.phase.outcome) {
      case "promoted":
        return this.expectEverywhere(NEW.digest, "promoted");
      case "undone":
        this.expectHeld(run);
        return this.expectUndone(run);
      case "stranded":
        if (!notifications.some((one) => one.kind === "stranded")) this.complain("P6: stranded in silence");
        return undefined;
      case "backed-up":
        if (this.world?.ran.includes("rebuild") !== true)
          this.complain("P6: says that a backup plan ran, but none did");
        return undefined;
      case "refused":
      case "unchanged":
        if (run.touched.length > 0)
          this.complain(`P8: ${run.phase.outcome}, but ${run.touched.join(", ")} was touched`);
        return this.expectEverywhere(OLD.digest, run.phase.outcome);
    }
  }

  private expectEverywhere(digest: string, why: string): void {
    for (const region of REGIONS) {
      const instances = this.world?.state(region).instances.filter((one) => one.id !== "stranger") ?? [];
      const good = instances.filter((one) => one.digest === digest && one.weightPct === 100);
      if (good.length !== INSTANCES || instances.length !== INSTANCES)
        this.complain(
          `P2: ${why}, but ${region} has ${instances.map((one) => `${one.id}@${one.weightPct}`).join(", ")}`,
        );
    }
  }

  /** P4: what happens to servers, and a storm in the market, hold the run. A conductor that dies meanwhile leaves a suspicion that the next one acts on. */
  private expectHeld({ cause }: Run): void {
    const { trouble, kills } = this.scenario;
    const isInnocent = trouble.badRelease === undefined && trouble.badMigration === undefined && kills.length === 0;
    if (isInnocent && cause?.kind === "guard") this.complain(`P4: taken back, not held: ${cause.text}`);
  }

  /** P7: equal to the record from before; what was kept is listed. */
  private expectUndone(run: Run): void {
    this.expectEverywhere(OLD.digest, "undone");
    const kept = new Set(
      run.graph.moves.flatMap((move) => (move.kind === "migrate" && run.kept.includes(move.id) ? move.names : [])),
    );
    const left = this.world?.applied.filter((name) => !kept.has(name)) ?? [];
    if (left.length > 0) this.complain(`P7: undone, but ${left.join(", ")} is still applied and not listed as kept`);
  }
}
