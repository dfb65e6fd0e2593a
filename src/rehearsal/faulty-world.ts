import { UpgradeError } from "../errors/upgrade-error.ts";
import type { Verdict } from "../guard/verdict.ts";
import type { Migration } from "../plan/model.ts";
import type { Metadata } from "../ports/metadata.ts";
import type { Watcher } from "../ports/watcher.ts";
import type { World } from "../runtime/world.ts";
import type { WalkOrder } from "./drills-of.ts";

/** A world in which a drill's faults can be made to happen. Everything else goes to the real one. */
export type FaultyWorld = {
  readonly world: World;
  /** Says in the guard's name that the last change fails its users. */
  accuse(reason: string, at: number): void;
};

/** `onStrike` is told when a fault that waits for its moment has happened. */
export function faultyWorld(real: World, order: WalkOrder, onStrike: () => void): FaultyWorld {
  const acts = order.strikes.flatMap((strike) => strike.acts);
  const breaks = acts.filter((act) => act.kind === "break-migration" || act.kind === "break-undo");
  const { watcher, accuse } = accusable(real.watcher);
  const world: World = {
    ...real,
    watcher,
    // A drill is nothing to page anybody for; the rehearsal itself tells how it went.
    notifiers: [],
    metadata: Object.fromEntries(
      Object.entries(real.metadata).map(([name, one]) => [
        name,
        breaks
          .filter(({ component }) => component === name)
          .reduce((kept, act) => ({ ...kept, store: BREAKING[act.kind](kept.store, act.name, onStrike) }), one),
      ]),
    ),
    runner: acts.some((act) => act.kind === "break-program")
      ? {
          run: () => {
            onStrike();
            return Promise.reject(
              new UpgradeError("RUN_FAILED", "drill: the program fails", { hint: "nothing: it is a drill" }),
            );
          },
        }
      : real.runner,
  };
  return { world, accuse };
}

function accusable(real: Watcher): { readonly watcher: Watcher; readonly accuse: FaultyWorld["accuse"] } {
  let say: (verdict: Verdict) => void = () => {};
  return {
    watcher: {
      start: (config, on) => {
        say = (verdict) => on.verdict(verdict);
        return real.start(config, on);
      },
      instances: (instances) => real.instances(instances),
      mark: (mark) => real.mark(mark),
      evidence: (need, signal) => real.evidence(need, signal),
      prove: (order, signal) => real.prove(order, signal),
      stop: () => real.stop(),
    },
    accuse: (reason, at) => say({ state: "failing", reason, regions: [], at, streams: [] }),
  };
}

type Breaking = (store: Metadata, name: string, onStrike: () => void) => Metadata;

/** The migration does all that it does, and fails at its end: half-way for whoever looks from outside. */
const breakingUp: Breaking = (store, name, onStrike) => {
  const broken = (migration: Migration): Migration =>
    migration.name === name
      ? {
          ...migration,
          up: `${migration.up}\n;\ndo $$ begin raise exception 'drill: the migration fails half-way'; end $$;\n`,
        }
      : migration;
  return {
    observe: (migrations, signal) => store.observe(migrations, signal),
    verify: (names, migrations, signal) => store.verify(names, migrations, signal),
    migrate: (order, fence, signal) => {
      if (order.direction === "down" || !order.names.includes(name)) return store.migrate(order, fence, signal);
      onStrike();
      return store.migrate({ ...order, migrations: order.migrations.map(broken) }, fence, signal);
    },
  };
};

/** The way back is refused for good before anything is done; looking and going forward are left alone. */
const breakingDown: Breaking = (store, name, onStrike) => ({
  observe: (migrations, signal) => store.observe(migrations, signal),
  verify: (names, migrations, signal) => store.verify(names, migrations, signal),
  migrate: (order, fence, signal) => {
    if (order.direction === "up" || !order.names.includes(name)) return store.migrate(order, fence, signal);
    onStrike();
    return Promise.reject(
      new UpgradeError("MIGRATION_FAILED", `drill: the undo of ${name} fails`, { hint: "nothing: it is a drill" }),
    );
  },
});

const BREAKING = { "break-migration": breakingUp, "break-undo": breakingDown } as const;
