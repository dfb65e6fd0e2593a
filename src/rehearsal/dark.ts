import type { ProofOrder, Watcher } from "../ports/watcher.ts";
import type { SessionAct, SessionReading } from "../ports/sessions.ts";
import type { Shape, Workload } from "../ports/workload.ts";
import { workloadOf, type Graph } from "../graph/graph.ts";
import type { World } from "../runtime/world.ts";
import type { Drill } from "./drill.ts";
import type { DrillRun } from "./stage.ts";

/** What the first new instances of a component did in a region's dark, as its stores tell it: before anybody asked them anything, and while they were probed. */
export type DarkReading = {
  readonly component: string;
  readonly region: string;
  readonly alone: readonly SessionReading[];
  readonly probed: readonly SessionReading[];
};

/** Watches new instances from before they start. Each call resolves when what it asks for was seen. */
export interface DarkWatch {
  begin(component: string, region: string): Promise<void>;
  alone(component: string, region: string): Promise<void>;
  /** After the probes. The watch is over. */
  probed(component: string, region: string): Promise<void>;
}

/** A world whose first new instances in each region are watched in the dark. Their run waits for what is seen, and is told nothing of it. */
export function watchedWorld(real: World, graph: Graph, watch: DarkWatch): World {
  const begun = new Set<string>();
  const workloads = Object.entries(real.workloads).map(([name, one]) => {
    const workload: Workload = {
      observe: (region, signal) => one.workload.observe(region, signal),
      shape: async (region, shape, fence, signal) => {
        const place = `${name}/${region}`;
        if (bringsNew(graph, name, shape) && !begun.has(place)) {
          begun.add(place);
          await watch.begin(name, region);
        }
        return one.workload.shape(region, shape, fence, signal);
      },
    };
    return [name, { ...one, workload }] as const;
  });
  return { ...real, workloads: Object.fromEntries(workloads), watcher: watchedProofs(real.watcher, begun, watch) };
}

function bringsNew(graph: Graph, component: string, shape: Shape): boolean {
  const digest = workloadOf(graph, component)?.target.digest;
  return shape.releases.some((one) => one.digest === digest && one.count > 0);
}

function watchedProofs(real: Watcher, begun: Set<string>, watch: DarkWatch): Watcher {
  const seen = new Set<string>();
  return {
    start: (config, on) => real.start(config, on),
    instances: (instances) => real.instances(instances),
    mark: (mark) => real.mark(mark),
    evidence: (need, signal) => real.evidence(need, signal),
    prove: async (order, signal) => {
      const [first] = order.instances;
      const place = placeOf(order);
      if (first === undefined || !begun.has(place) || seen.has(place)) return real.prove(order, signal);
      seen.add(place);
      await watch.alone(first.component, first.region);
      const result = await real.prove(order, signal);
      await watch.probed(first.component, first.region);
      return result;
    },
    stop: () => real.stop(),
  };
}

const placeOf = ({ instances: [first] }: ProofOrder): string => `${first?.component ?? ""}/${first?.region ?? ""}`;

/** One drill for each component and region that the plan proves in the dark. */
export function drillsOfDark(graph: Graph, runs: readonly DrillRun[]): readonly Drill[] {
  const readings = runs.flatMap(({ dark }) => dark);
  const proofs = graph.moves.flatMap((move) =>
    move.kind === "prove" ? move.regions.map((region) => ({ step: move.id, component: move.component, region })) : [],
  );
  const firsts = proofs.filter(
    ({ component, region }, index) =>
      proofs.findIndex((one) => one.component === component && one.region === region) === index,
  );
  return firsts.map(({ step, component, region }): Drill => {
    const release = workloadOf(graph, component)?.target.release ?? component;
    const reading = readings.find((one) => one.component === component && one.region === region);
    return {
      name: `in the dark: ${release} in ${region} leads nothing, consumes nothing and writes nothing`,
      step,
      kind: "dark",
      ms: 0,
      ...judgeDark(reading),
    };
  });
}

/** What was done is a failure; what could not be told is no pass. Probes are operations: what they make an instance write is theirs. */
export function judgeDark(reading: DarkReading | undefined): Pick<Drill, "outcome" | "detail"> {
  if (reading === undefined)
    return { outcome: "skipped", detail: "nothing was watched: its instances were there already, or run elsewhere" };
  const { alone, probed } = reading;
  if (alone.length === 0)
    return { outcome: "skipped", detail: "the plan has no store whose sessions could be watched" };
  const acts = [
    ...actsOf(alone, "before anybody asked it anything"),
    ...actsOf(probed, "while it was probed").filter(({ kind }) => kind !== "write"),
  ];
  if (acts.length > 0) return { outcome: "failed", detail: [...new Set(acts.map(({ text }) => text))].join("\n") };
  const doubts = alone.flatMap(({ store, blindTo, transactions }) =>
    blindTo !== undefined && (blindTo.what === "sessions" || transactions > 0) ? [`${store}: ${blindTo.why}`] : [],
  );
  if (doubts.length > 0) return { outcome: "skipped", detail: doubts.join("\n") };
  return {
    outcome: "passed",
    detail: alone
      .map(
        ({ store, sessions, transactions }) =>
          `${store}: ${sessions} sessions of it only read; ${transactions} transactions of others wrote meanwhile`,
      )
      .join("\n"),
  };
}

const actsOf = (readings: readonly SessionReading[], when: string) =>
  readings.flatMap(({ store, acts }) =>
    acts.map((act) => ({ kind: act.kind, text: `${store}: ${act.session} ${deedOf(act)}, ${when}` })),
  );

function deedOf(act: SessionAct): string {
  switch (act.kind) {
    case "advisory-lock":
      return `took the advisory lock ${act.lock}`;
    case "replication-slot":
      return `consumed from the replication slot ${act.slot}`;
    case "write":
      return `wrote; its last statement was: ${act.statement}`;
  }
}
