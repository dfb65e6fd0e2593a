import { Bug } from "../errors/bug.ts";
import { UpgradeError } from "../errors/upgrade-error.ts";
import { begin } from "../engine/begin.ts";
import { decide } from "../engine/decide.ts";
import { isTakingBack } from "../engine/phases/asked.ts";
import type { Fact, FactOf, Opened } from "../engine/fact.ts";
import type { Run } from "../engine/run.ts";
import type { WatchPulse } from "../ports/watcher.ts";
import { Dispatch } from "./dispatch.ts";
import { Inbox } from "./inbox.ts";
import { patrol } from "./patrol.ts";
import type { Entry } from "./replay.ts";
import { Tally } from "./tally.ts";
import { unsentNotices } from "./unsent.ts";
import { Sightings, type Custody, type World } from "./world.ts";

/** What views are told. Called after the fact is durable; must not throw and must not take long. */
export type Observer = {
  recorded?(entry: Entry, run: Run): void;
  pulse?(pulse: WatchPulse): void;
};

export type Conduct = {
  /** Tells the run what a person wants. */
  ask(what: FactOf<"asked">["what"], by: string, because?: string): void;
  /** Resolves when the run has ended or halted. Rejects with what stopped this conductor (`LEASE_LOST`, `JOURNAL_WRITE_FAILED`, a `Bug`). */
  readonly finished: Promise<Run>;
};

export type Start =
  | { readonly kind: "new"; readonly opened: Opened }
  | { readonly kind: "revived"; readonly run: Run; readonly started: Omit<FactOf<"conductor-started">, "at"> };

/** How long the last notifications may take once a run is over. */
const FAREWELL_MS = 5_000;
/** What may still be told then: it changes no decision. */
const FAREWELL: ReadonlySet<Fact["kind"]> = new Set(["delivered", "undelivered", "tally", "probe-filled"]);

/** Conducts one run: takes facts, decides, makes fact and decision durable, then sends what follows. */
export function conduct(world: World, custody: Custody, start: Start, observer: Observer = {}): Conduct {
  const conductor = new Conductor(world, custody, observer);
  return {
    ask: (what, by, because) =>
      conductor.inbox.post({
        kind: "asked",
        at: world.clock.now(),
        what,
        by,
        ...(because === undefined ? {} : { because }),
      }),
    finished: conductor.main(start),
  };
}

/** Nothing is sent whose fact is not on disk, and nothing more is sent once the lease or the journal is lost. */
class Conductor {
  readonly inbox: Inbox;
  private readonly stop = new AbortController();
  private readonly sightings = new Sightings();
  private readonly dispatch: Dispatch;
  private readonly tally: Tally;
  private readonly world: World;
  private readonly custody: Custody;
  private readonly observer: Observer;
  private run: Run | undefined;

  constructor(world: World, custody: Custody, observer: Observer) {
    this.world = world;
    this.custody = custody;
    this.observer = observer;
    this.inbox = new Inbox(this.stop.signal);
    this.tally = new Tally(this.inbox.post);
    this.dispatch = new Dispatch({
      world,
      post: this.inbox.post,
      stop: this.stop,
      epoch: custody.lease.epoch,
      sightings: this.sightings,
    });
  }

  async main(start: Start): Promise<Run> {
    const unwatch = this.heedLease();
    try {
      await this.startWatching();
      await this.open(start);
      void patrol({
        world: this.world,
        sightings: this.sightings,
        dispatch: this.dispatch,
        run: () => this.run,
        post: this.inbox.post,
        witnessed: () => this.tellInstances(),
        signal: this.stop.signal,
      });
      await this.loop();
      return await this.farewell();
    } finally {
      unwatch();
      this.stop.abort(new Bug("the run is over"));
      await this.dispatch.settled();
      await this.world.watcher.stop();
    }
  }

  private heedLease(): () => void {
    const { lost } = this.custody.lease;
    const onLost = () =>
      this.stop.abort(
        new UpgradeError("LEASE_LOST", "the lease was lost; this conductor sends nothing more", {
          hint: "look at `midflight status`: another conductor may act now",
        }),
      );
    if (lost.aborted) onLost();
    lost.addEventListener("abort", onLost, { once: true });
    return () => lost.removeEventListener("abort", onLost);
  }

  private startWatching(): Promise<void> {
    return this.world.watcher.start(this.world.watch, {
      verdict: (verdict) => this.inbox.post({ kind: "verdict", at: this.world.clock.now(), verdict }),
      pulse: (pulse) => {
        this.observer.pulse?.(pulse);
        this.tally.take(pulse);
      },
    });
  }

  private async open(start: Start): Promise<void> {
    if (start.kind === "revived") this.run = start.run;
    const unsent =
      start.kind === "revived" ? unsentNotices(this.custody.journal.records, start.run, this.world.notifiers) : [];
    const fact = start.kind === "new" ? start.opened : start.started;
    await this.record({ ...fact, at: this.world.clock.now() });
    for (const letter of unsent) this.dispatch.post(letter);
  }

  private async loop(): Promise<void> {
    while (!this.isOver() || this.inbox.hasRequest()) {
      const fact = await this.inbox.take();
      if (fact === undefined) break;
      await this.record(fact);
      if (fact.kind === "asked" && fact.what === "leave" && isTakingBack(this.known())) await this.leave(fact.by);
    }
    this.stop.signal.throwIfAborted();
  }

  /** An undo is left half done: the pager is told, and nothing more is sent. What stands where, the journal knows. */
  private async leave(by: string): Promise<never> {
    await this.farewell();
    const left = new UpgradeError(
      "UNDO_LEFT",
      `${by} left the undo half done: ${this.known().cause?.text ?? "no cause"}`,
      {
        hint: `go on with it: midflight resume ${this.known().id}`,
      },
    );
    this.stop.abort(left);
    throw left;
  }

  /** Fact → decision → disk → world. */
  private async record(fact: Fact): Promise<void> {
    const before = this.run;
    const decision = fact.kind === "opened" ? begin(fact) : decide(this.known(), fact);
    const { seq } = await this.custody.journal
      .append({ at: fact.at, fact, effects: decision.effects })
      .catch((error: unknown) => {
        this.stop.abort(error);
        throw error;
      });
    this.run = decision.run;
    if (before?.phase.kind === "preparing" && decision.run.phase.kind !== "preparing")
      await this.keepBefore(decision.run);
    this.observer.recorded?.({ seq, fact, effects: decision.effects }, decision.run);
    // The lease may have gone while the disk was busy.
    if (!this.stop.signal.aborted) this.dispatch.send(decision.run, decision.effects, seq);
    this.tellInstances();
  }

  private tellInstances(): void {
    this.world.watcher.instances(this.sightings.watched(this.known()));
  }

  private known(): Run {
    if (this.run === undefined) throw new Bug("a run was decided on before it was opened");
    return this.run;
  }

  private isOver(): boolean {
    return this.run !== undefined && isOver(this.run);
  }

  /** The before-state can be read without the journal, for the day when the journal is what broke. */
  private keepBefore(run: Run): Promise<string> {
    return this.custody.store.putFile(
      run.id,
      "before.json",
      `${JSON.stringify({ run: run.id, before: run.before }, undefined, 2)}\n`,
    );
  }

  /** Notifications that are still on their way get a moment; what became of them is recorded. */
  private async farewell(): Promise<Run> {
    this.tally.flush();
    await Promise.race([this.dispatch.notified(), this.world.clock.sleep(FAREWELL_MS, this.stop.signal)]);
    for (const fact of this.inbox.drain()) {
      if (FAREWELL.has(fact.kind)) await this.record(fact);
    }
    return this.known();
  }
}

/** Whether a run awaits nothing more: it ended, or it halted and somebody must resume it. */
export const isOver = (run: Run): boolean => run.phase.kind === "ended" || run.phase.kind === "halted";
