import { UpgradeError } from "../errors/upgrade-error.ts";
import { isAwaited, type Effect } from "../engine/effect.ts";
import type { Fact } from "../engine/fact.ts";
import { placeOf, type Run } from "../engine/run.ts";
import { notificationOf } from "./notification.ts";
import { failureOf } from "./failure.ts";
import { perform } from "./perform.ts";
import { deliver, type Unsent } from "./unsent.ts";
import type { Sightings, World } from "./world.ts";

type Office = {
  readonly world: World;
  readonly post: (fact: Fact) => void;
  /** Aborted when this conductor must send nothing more. */
  readonly stop: AbortController;
  readonly epoch: number;
  readonly sightings: Sightings;
};

/**
 * Sends effects and turns their answers into facts. An effect that was cancelled answers nobody: its late result is dropped.
 * Two shapes of one place never overlap; a weighing never waits, because it is what protects users.
 */
export class Dispatch {
  private readonly office: Office;
  private readonly flights = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>();
  private readonly lanes = new Map<string, Promise<void>>();
  private readonly letters = new Set<Promise<void>>();
  private readonly landed = new Set<Promise<void>>();
  /** Grows with every effect that was sent; a look that began before cannot be trusted. */
  sent = 0;

  constructor(office: Office) {
    this.office = office;
  }

  send(run: Run, effects: readonly Effect[], seq: number): void {
    for (const effect of effects) {
      if (effect.kind === "cancel") this.flights.get(effect.target)?.controller.abort(new Cancelled());
      else if (effect.kind === "mark") this.office.world.watcher.mark({ id: effect.id, cause: effect.cause });
      else if (effect.kind === "notify") this.tell(run, effect);
      else if (isAwaited(effect)) this.fly(run, effect, seq);
    }
  }

  /** Whether something is under way that changes a workload. */
  isChanging(): boolean {
    return [...this.lanes.keys()].length > 0;
  }

  async settled(): Promise<void> {
    await Promise.allSettled([...this.landed, ...this.letters]);
  }

  async notified(): Promise<void> {
    await Promise.allSettled(this.letters);
  }

  private fly(run: Run, effect: Effect, seq: number): void {
    const controller = new AbortController();
    const stopped = () => controller.abort(this.office.stop.signal.reason);
    this.office.stop.signal.addEventListener("abort", stopped, { once: true });
    this.sent += 1;
    const lane = laneOf(effect);
    const ahead = lane === undefined ? Promise.resolve() : (this.lanes.get(lane) ?? Promise.resolve());
    const done = ahead
      .then(() => this.attempt(run, effect, seq, controller))
      .finally(() => {
        this.office.stop.signal.removeEventListener("abort", stopped);
        this.landed.delete(done);
        if (lane !== undefined && this.lanes.get(lane) === done) this.lanes.delete(lane);
        if (this.flights.get(effect.id)?.controller === controller) this.flights.delete(effect.id);
      });
    this.landed.add(done);
    this.flights.set(effect.id, { controller, done });
    if (lane !== undefined) this.lanes.set(lane, done);
  }

  private async attempt(run: Run, effect: Effect, seq: number, controller: AbortController): Promise<void> {
    const { world, post, sightings, epoch, stop } = this.office;
    if (controller.signal.aborted) return;
    const deadline = new AbortController();
    const limit = "deadlineMs" in effect && effect.kind !== "prove" ? effect.deadlineMs : undefined;
    if (limit !== undefined) {
      world.clock.sleep(limit, AbortSignal.any([controller.signal, deadline.signal])).then(
        () => controller.abort(timedOut(effect, limit)),
        () => {},
      );
    }
    try {
      const result = await perform(world, effect, { run, fence: { epoch, seq }, sightings, signal: controller.signal });
      this.sent += 1;
      if (!(controller.signal.reason instanceof Cancelled) && !stop.signal.aborted)
        post({ kind: "effect-done", at: world.clock.now(), id: effect.id, result });
    } catch (error) {
      this.sent += 1;
      if (controller.signal.reason instanceof Cancelled || stop.signal.aborted) return;
      try {
        post({
          kind: "effect-failed",
          at: world.clock.now(),
          id: effect.id,
          failure: failureOf(controller.signal.aborted ? controller.signal.reason : error),
        });
      } catch (bug) {
        stop.abort(bug);
      }
    } finally {
      deadline.abort();
    }
  }

  /** Never waited for. Whoever could not be told is a fact. */
  private tell(run: Run, effect: Extract<Effect, { readonly kind: "notify" }>): void {
    const { world } = this.office;
    const notification = notificationOf(run, effect, world.clock.now());
    for (const notifier of world.notifiers.filter((one) => one.on.includes(effect.notice)))
      this.post({ notifier, notification });
  }

  /** Also what a conductor before this one did not live to tell. */
  post(letter: Unsent): void {
    const { world, post, stop } = this.office;
    const posted: Promise<void> = deliver(letter, () => world.clock.now(), stop.signal)
      .then(post)
      .finally(() => this.letters.delete(posted));
    this.letters.add(posted);
  }
}

/** An effect that the engine no longer wants. */
class Cancelled extends Error {}

const timedOut = (effect: Effect, ms: number): UpgradeError =>
  new UpgradeError("EFFECT_TIMED_OUT", `${effect.id} was not answered within ${ms / 1000} s`, {
    hint: "the run looks at the world before it sends anything again",
  });

/** Effects of one lane never overlap, not even one that was cancelled and is still landing. */
function laneOf(effect: Effect): string | undefined {
  if (effect.kind === "shape") return `shape ${placeOf(effect.component, effect.region)}`;
  return effect.kind === "migrate" ? `migrate ${effect.component}` : undefined;
}
