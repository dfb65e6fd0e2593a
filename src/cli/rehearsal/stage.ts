import { messageOf } from "../../errors/message-of.ts";
import type { RunEvent } from "../../events/event.ts";
import { workloadOf } from "../../graph/graph.ts";
import { withSoaksAtMost } from "../../graph/shorten-soaks.ts";
import type { Conduct } from "../../runtime/conduct.ts";
import type { World } from "../../runtime/world.ts";
import { watchedWorld, type DarkWatch } from "../../rehearsal/dark.ts";
import type { Act, Strike, WalkOrder } from "../../rehearsal/drills-of.ts";
import { faultyWorld, type FaultyWorld } from "../../rehearsal/faulty-world.ts";
import type { DrillRun, Stage, Standing } from "../../rehearsal/stage.ts";
import { DrillLog } from "./drill-log.ts";
import { playKilled } from "./killed-drill.ts";
import type { Loaded } from "../files/load.ts";
import { leaseKeys } from "../run/lease-keys.ts";
import { startRun } from "../run/start-run.ts";
import { patienceWith } from "./patience.ts";
import { mute, type StageOptions } from "./stage-options.ts";
import { holderOf } from "../run/state.ts";
import { wireDark } from "../wiring/dark.ts";
import { wireLease } from "../wiring/lease.ts";

/** The demo environment of a loaded plan. Its runs are ordinary runs, kept in the environment's own state folder. */
export function rehearsalStage(options: StageOptions): Stage {
  const { wired, loaded } = options;
  return {
    look: (signal) => look(wired.world, loaded, signal),
    play: (order, signal) => {
      const pace = order.isKept === true ? options : { ...options, loaded: hurried(loaded) };
      return order.strikes.some(({ acts }) => acts.some(({ kind }) => kind === "kill-conductor"))
        ? playKilled(order, pace, signal)
        : play(order, pace, signal);
    },
    clear: (before, signal) => clear(before, options, signal),
  };
}

/** What is taken back in the end proves nothing by standing for long on the way. */
const hurried = (loaded: Loaded): Loaded => ({
  ...loaded,
  graph: withSoaksAtMost(loaded.graph, loaded.plan.rehearsal.drillSoakMs),
});

async function look(world: World, loaded: Loaded, signal: AbortSignal): Promise<Standing> {
  const places = Object.values(loaded.graph.components).flatMap((component) =>
    component.kind === "workload" ? component.regions.map((region) => ({ name: component.name, region })) : [],
  );
  const workloads = await Promise.all(
    places.map(async ({ name, region }) => {
      const state = await world.workloads[name]?.workload.observe(region, signal);
      return [`${name}/${region}`, state ?? { region, instances: [] }] as const;
    }),
  );
  const metadata = await Promise.all(
    Object.entries(world.metadata).map(
      async ([name, { store, migrations }]) => [name, await store.observe(migrations, signal)] as const,
    ),
  );
  return { workloads: Object.fromEntries(workloads), metadata: Object.fromEntries(metadata) };
}

async function play(order: WalkOrder, options: StageOptions, signal: AbortSignal): Promise<DrillRun> {
  const log = new DrillLog(order);
  const dark =
    order.isWatched === true
      ? wireDark(options.loaded, {
          env: options.io.env,
          state: options.state,
          workloads: options.wired.world.workloads,
          signal,
        })
      : undefined;
  const hand = new Hand(order, options, log, signal, dark);
  const startedAt = performance.now();
  const patience = patienceWith(options.loaded, options.state.clock, (why) => {
    log.text = why;
    hand.conducted?.ask("undo", "rehearsal", "the drill gets no further");
  });
  const stop = () => hand.conducted?.ask("undo", "rehearsal", "the rehearsal was stopped");
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { run } = await startRun({
      permit: { kind: "certificate" },
      io: mute(options.io),
      cwd: options.io.cwd,
      loaded: options.loaded,
      state: options.state,
      output: "lines",
      isQuiet: true,
      through: (world) => hand.grasp(world),
      onConduct: (conducted) => {
        hand.conducted = conducted;
      },
      onEvent: (event) => {
        if (event.kind === "run-opened") hand.note(event.run);
        options.onEvent(event);
        log.heed(event);
        patience.heed(event);
        hand.heed(event);
      },
    });
    await hand.settled();
    signal.throwIfAborted();
    return { ...log.told(run, performance.now() - startedAt), dark: dark?.readings() ?? [] };
  } finally {
    patience.end();
    await dark?.close();
    await options.breaker.rest();
    signal.removeEventListener("abort", stop);
  }
}

/** How much longer servers stay away from a run that has not answered their death yet, ms. */
const UNSEEN_MS = 20_000;

/** Does to a run what its drill orders, when its moment comes. */
class Hand {
  conducted: Conduct | undefined;
  private readonly order: WalkOrder;
  private readonly options: StageOptions;
  private readonly log: DrillLog;
  private readonly signal: AbortSignal;
  private readonly dark: DarkWatch | undefined;
  private readonly under: Promise<void>[] = [];
  private faulty: FaultyWorld | undefined;

  constructor(
    order: WalkOrder,
    options: StageOptions,
    log: DrillLog,
    signal: AbortSignal,
    dark: DarkWatch | undefined,
  ) {
    this.dark = dark;
    this.order = order;
    this.options = options;
    this.log = log;
    this.signal = signal;
  }

  grasp(real: World): World {
    const world = this.dark === undefined ? real : watchedWorld(real, this.options.loaded.graph, this.dark);
    this.faulty = faultyWorld(world, this.order, () => {
      for (const strike of this.order.strikes) if (strike.acts.some((act) => isBuiltIn(act))) this.log.struck(strike);
    });
    return this.faulty.world;
  }

  heed(event: RunEvent): void {
    const { moves } = this.options.loaded.graph;
    if (event.kind === "move-started" && moves.some(({ id, kind }) => id === event.move && kind === "approve"))
      this.conducted?.ask("approve", "rehearsal");
    if (event.kind !== "move-started" && event.kind !== "move-done") return;
    const when = event.kind === "move-started" ? "started" : "done";
    for (const strike of this.order.strikes) {
      if (strike.when !== when || strike.move !== event.move || strike.acts.some((act) => isBuiltIn(act))) continue;
      this.under.push(
        ...strike.acts.map((act) =>
          this.act(act, strike).then(
            () => this.log.struck(strike),
            (error: unknown) => {
              this.log.text ??= `the fault could not be made: ${messageOf(error)}`;
              this.conducted?.ask("undo", "rehearsal", "the fault could not be made");
            },
          ),
        ),
      );
    }
  }

  note(run: string): void {
    this.under.push(this.options.onRun(run));
  }

  async settled(): Promise<void> {
    await Promise.all(this.under);
  }

  private async act(act: Act, { move }: Strike): Promise<void> {
    const { breaker, state } = this.options;
    switch (act.kind) {
      case "accuse":
        return this.faulty?.accuse(act.reason, state.clock.now());
      case "turn-back":
        return this.conducted?.ask("undo", "rehearsal", "drill: take it back from here");
      case "hold-store": {
        const held = await breaker.holdStore(act.component, this.signal);
        try {
          await state.clock.sleep(act.ms, this.signal);
        } finally {
          await held.release();
        }
        return;
      }
      case "kill-new": {
        const digest = workloadOf(this.options.loaded.graph, act.component)?.target.digest;
        const killed = await Promise.all(act.regions.map((region) => breaker.kill(act.component, region, digest)));
        if (killed.every((count) => count === 0)) throw new Error("no new instance was there to kill");
        return;
      }
      case "kill-region": {
        const answered = this.log.outage(move);
        try {
          if ((await breaker.kill(act.component, act.region)) === 0) throw new Error("no instance was there to kill");
          await state.clock.sleep(act.awayMs, this.signal);
          // A machine that stood still meanwhile has not looked yet: an outage that nobody could see would prove nothing.
          await state.clock.sleep(UNSEEN_MS, AbortSignal.any([answered, this.signal])).catch(() => {});
          this.signal.throwIfAborted();
        } finally {
          this.log.outageOver(move);
        }
        await breaker.restore(act.component, act.region);
        if (act.afterwards === "turn-back")
          this.conducted?.ask("undo", "rehearsal", "drill: the servers are back; take it back");
        return;
      }
      case "break-migration":
      case "break-undo":
      case "break-program":
      case "kill-conductor":
        return;
    }
  }
}

/** Faults that wait in the world itself. */
const isBuiltIn = (act: Act): boolean =>
  act.kind === "break-migration" || act.kind === "break-undo" || act.kind === "break-program";

/** An undo keeps metadata that serve the old release. A drill starts from before them. */
async function clear(before: Standing, { io, loaded, state, wired }: StageOptions, signal: AbortSignal): Promise<void> {
  const kept = await Promise.all(
    Object.entries(wired.world.metadata).map(async ([name, one]) => {
      const had = new Set(before.metadata[name]?.applied.map((row) => row.name));
      const { applied } = await one.store.observe(one.migrations, signal);
      return { ...one, names: applied.map((row) => row.name).filter((row) => !had.has(row)) };
    }),
  );
  const left = kept.filter(({ names }) => names.length > 0);
  if (left.length === 0) return;
  const leases = await wireLease(loaded, state, io.env);
  const lease = await leases.acquire(leaseKeys(loaded), holderOf("rehearsal"), signal);
  try {
    for (const { store, migrations, names } of left)
      await store.migrate({ direction: "down", names, migrations }, { epoch: lease.epoch, seq: 1 }, signal);
  } finally {
    await lease.release();
  }
}
