import { BadInput } from "../../errors/problem.ts";
import type { Drill } from "../../rehearsal/drill.ts";
import { drillsOfLint } from "../../rehearsal/lint/drills-of-lint.ts";
import type { Check } from "../../rehearsal/rehearse.ts";
import type { Stage } from "../../rehearsal/stage.ts";
import { drillsOfTrial } from "../../rehearsal/trial/drills-of-trial.ts";
import { tryMigrations } from "../../rehearsal/trial/try-migrations.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { acceptancesOf } from "../facts/sides.ts";
import type { State } from "../run/state.ts";

export type ChecksOrder = {
  readonly io: CliIo;
  readonly demo: Loaded;
  readonly production: Loaded;
  readonly state: State;
  readonly say: (text: string) => void;
};

/** What is looked at before anything is walked, cheapest first. Production is only read, in sessions that cannot write. */
export const rehearsalChecks = (order: ChecksOrder): readonly Check[] => [
  { name: "demo against production", run: () => compared(order) },
  { name: "migrations as they are written", run: (_stage, signal) => linted(order, signal) },
  { name: "migrations on clones of the demo store", run: (stage, signal) => tried(order, stage, signal) },
];

async function compared({ io, demo, production, state }: ChecksOrder): Promise<readonly Drill[]> {
  const [{ collectFacts }, { drillsOfParity }, { mattersTo }] = await Promise.all([
    import("../facts/collect-facts.ts"),
    import("../../rehearsal/parity/drills-of-parity.ts"),
    import("../../rehearsal/parity/certified-facts.ts"),
  ]);
  const startedAt = state.clock.monotonic();
  const only = Object.keys(demo.plan.components);
  const sides = await Promise.all([
    collectFacts(io, demo.environment, { only, state: state.dir }),
    collectFacts(io, production.environment, { only }),
  ]);
  const meant = new Set(
    sides.flatMap(({ facts }) => facts.filter((fact) => mattersTo(production.graph, fact)).map(({ id }) => id)),
  );
  return drillsOfParity(sides, [...acceptancesOf(demo.environment), ...acceptancesOf(production.environment)], {
    isMeant: (id) => meant.has(id),
    now: state.clock.now(),
    ms: state.clock.monotonic() - startedAt,
  });
}

async function linted({ io, demo }: ChecksOrder, signal: AbortSignal): Promise<readonly Drill[]> {
  const { lintMigrations } = await import("../files/lint-migrations.ts");
  const { findings, problems } = await lintMigrations(io, demo.plan, demo.migrations, signal);
  if (problems.length > 0) throw new BadInput(problems);
  return drillsOfLint(findings, Object.values(demo.migrations).flat().length);
}

async function tried(order: ChecksOrder, stage: Stage, signal: AbortSignal): Promise<readonly Drill[]> {
  const { io, demo, production, state } = order;
  const { identitiesOf, listedReleases, storesOf, wireTrials } = await import("../wiring/trials.ts");
  const stores = storesOf(demo);
  if (stores.length === 0) return [];
  const standing = await stage.look(signal);
  const servers = await identitiesOf(production, io, signal);
  const drills: Drill[] = [];
  for (const store of stores) {
    const result = await tryMigrations(
      {
        store,
        graph: demo.graph,
        migrations: demo.migrations[store] ?? [],
        applied: standing.metadata[store]?.applied.map(({ name }) => name) ?? [],
        releases: await listedReleases(demo, store, standing),
        production: servers,
        abortMs: demo.plan.guard.deadlineMs,
      },
      wireTrials(demo, store, io, state),
      { now: () => state.clock.monotonic(), progress: { trying: (what) => order.say(what) }, signal },
    );
    drills.push(...drillsOfTrial(result));
  }
  return drills;
}
