import { Bug } from "../errors/bug.ts";
import { workloadOf, type WorkloadComponent } from "../graph/graph.ts";
import type { Move } from "../graph/move.ts";
import type { Shape, Weighing, WorkloadState } from "../graph/observation.ts";
import type { Drain } from "../plan/model.ts";
import { oldOf, placeOf, type Run, type Standing } from "./run.ts";

export const componentOf = (run: Run, name: string): WorkloadComponent => {
  const component = workloadOf(run.graph, name);
  if (component === undefined) throw new Bug(`${name} is no workload`);
  return component;
};

export const standingOf = (run: Run, component: string, region: string): Standing =>
  run.world[placeOf(component, region)] ?? { old: componentOf(run, component).instances, fresh: 0, admitted: 0 };

export const withStanding = (run: Run, component: string, region: string, standing: Standing): Run => ({
  ...run,
  world: { ...run.world, [placeOf(component, region)]: standing },
});

/** Whether a region already ran the target before this run; then nothing in it is changed. */
export const isThereAlready = (run: Run, component: string, region: string): boolean =>
  oldOf(run, component, region)?.digest === componentOf(run, component).target.digest;

export function shapeOf(run: Run, component: string, region: string, standing: Standing, drain: Drain): Shape {
  const { target } = componentOf(run, component);
  const old = oldOf(run, component, region);
  if (old === undefined) throw new Bug(`nothing was recorded of ${component} in ${region}`);
  return {
    releases: [
      { ...old, count: standing.old },
      { ...target, count: standing.fresh },
    ],
    drain,
  };
}

/** Every old one takes its full share, and so does every admitted new one, unless a `shift` says otherwise. */
export function weighingOf(run: Run, component: string, region: string, standing: Standing): Weighing {
  const { target } = componentOf(run, component);
  const old = oldOf(run, component, region);
  if (old === undefined) throw new Bug(`nothing was recorded of ${component} in ${region}`);
  const [oldPct, freshPct] = weightsFor(standing);
  return [
    { digest: old.digest, admitted: standing.old, weightPct: oldPct },
    { digest: target.digest, admitted: standing.admitted, weightPct: freshPct },
  ];
}

/** Weights per instance that give the new ones `sharePct` of the traffic together: `[old, fresh]`, the larger is 100. */
export function weightsFor(standing: Standing): readonly [number, number] {
  const share = standing.sharePct;
  if (share === undefined || standing.admitted === 0 || standing.old === 0) return [100, 100];
  if (share >= 100) return [0, 100];
  if (share <= 0) return [100, 0];
  const ratio = (share * standing.old) / ((100 - share) * standing.admitted);
  return ratio <= 1 ? [100, someOf(100 * ratio)] : [someOf(100 / ratio), 100];
}

/** Weights are whole numbers, and a share of nobody proves nothing. */
const someOf = (weight: number): number => Math.max(1, Math.round(weight));

/** What stands in a region once a move is done there. */
export function standingAfter(run: Run, move: Move, region: string): Standing {
  if (!("component" in move) || move.kind === "migrate" || move.kind === "verify")
    throw new Bug(`${move.id} moves no instances`);
  const now = standingOf(run, move.component, region);
  switch (move.kind) {
    case "start":
      return { ...now, fresh: Math.max(now.fresh, move.fresh) };
    case "prove":
      return now;
    case "admit":
      return {
        ...now,
        old: Math.min(now.old, move.keep),
        fresh: Math.max(now.fresh, move.fresh),
        admitted: Math.max(now.admitted, move.fresh),
        ...(move.isSwitch === true ? { sharePct: 100 } : {}),
      };
    case "retire":
      return { ...now, old: Math.min(now.old, move.keep) };
    case "shift":
      return { ...now, admitted: now.fresh, sharePct: move.toPct };
  }
}

/** `isNewAlone`: every old instance stands that should, and only new ones are missing. */
export type Difference = { readonly kind: "lost" | "foreign"; readonly text: string; readonly isNewAlone?: boolean };

/** In words, what differs between a look and what should stand there; undefined when nothing does. A move under way may be half done. */
export function differenceOf(run: Run, component: string, state: WorkloadState): Difference | undefined {
  const old = oldOf(run, component, state.region);
  if (old === undefined) return undefined;
  if (state.foreign !== undefined) return { kind: "foreign", text: state.foreign };
  const where = `${component} in ${state.region}`;
  const { target } = componentOf(run, component);
  const strangers = state.instances.filter((one) => one.digest !== old.digest && one.digest !== target.digest);
  if (strangers.length > 0)
    return {
      kind: "foreign",
      text: `${where}: ${strangers.map((one) => `${one.id} (${one.release})`).join(", ")} was not there before and is not of this run`,
    };
  const stands = possibleStandings(run, component, state.region);
  const wanted =
    old.digest === target.digest
      ? [{ ...old, least: stands[0]?.old ?? 0, most: stands[0]?.old ?? 0 }]
      : releaseRanges(old, target, stands);
  const readyOf = ({ digest }: Release): number =>
    state.instances.filter((one) => one.digest === digest && one.ready).length;
  for (const release of wanted) {
    const found = state.instances.filter((one) => one.digest === release.digest);
    const ready = readyOf(release);
    if (found.length > release.most)
      return {
        kind: "foreign",
        text: `${where}: ${found.length} of ${release.release} where ${release.most} should be`,
      };
    if (ready < release.least)
      return {
        kind: "lost",
        text: `${where}: ${ready} of ${release.least} ${release.release} answer`,
        // The old release was looked at first.
        isNewAlone: release.digest === target.digest && old.digest !== target.digest && readyOf(old) > 0,
      };
  }
  return stands.length > 1 ? undefined : strangeWeight(run, component, state);
}

type Release = { readonly release: string; readonly digest: string };

const releaseRanges = (old: Release, target: Release, stands: readonly Standing[]) => [
  { ...old, least: Math.min(...stands.map((one) => one.old)), most: Math.max(...stands.map((one) => one.old)) },
  { ...target, least: Math.min(...stands.map((one) => one.fresh)), most: Math.max(...stands.map((one) => one.fresh)) },
];

function possibleStandings(run: Run, component: string, region: string): readonly Standing[] {
  const now = standingOf(run, component, region);
  const move = run.graph.moves[run.next];
  const isUnderWay =
    move !== undefined &&
    run.touched.includes(move.id) &&
    "regions" in move &&
    move.component === component &&
    move.regions.includes(region);
  return isUnderWay ? [now, standingAfter(run, move, region)] : [now];
}

/** Somebody else turned an instance down or up. */
function strangeWeight(run: Run, component: string, state: WorkloadState): Difference | undefined {
  const weighing = weighingOf(run, component, state.region, standingOf(run, component, state.region));
  for (const one of state.instances) {
    const rule = weighing.find((entry) => entry.digest === one.digest && entry.admitted > 0);
    const wanted = rule !== undefined && one.ordinal <= rule.admitted ? rule.weightPct : 0;
    if (one.ready && one.weightPct !== wanted)
      return { kind: "foreign", text: `${one.id} takes weight ${one.weightPct} where ${wanted} was set` };
  }
  return undefined;
}
