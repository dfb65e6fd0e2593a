/**
 * Where a stock Deployment stops. New pods that never count as available (`minReadySeconds` beyond all time) make its controller stand still at
 *
 *     pods of the template it rolls to   = maxSurge + maxUnavailable
 *     pods of the other template         = replicas − maxUnavailable
 *
 * so that two numbers place any pair of counts, as long as `replicas` lies between the larger of them and their sum. `replicas` stays as it
 * was wherever it can. Where it cannot, it is changed while only one template has pods, or by a patch that leaves both counts as they are: with
 * pods of two templates the controller would spread any other change over both, and start more of the one that leaves.
 */
export type Side = "before" | "after";

/** Pods of the Deployment, of the template that was there before and of the one that comes after it. */
export type Counts = { readonly before: number; readonly after: number };

export type Placement = Counts & {
  readonly template: Side;
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
};

/** One patch after the other. Each only adds or only takes away, and everything is added before anything is taken. */
export function placementsFor(from: Counts, to: Counts, replicas: number): readonly Placement[] {
  const path: Path = { counts: from, replicas, placements: [] };
  const grown = grow(grow(path, "before", to.before), "after", to.after);
  return shrink(shrink(grown, "before", to.before), "after", to.after).placements;
}

/**
 * The next new ones come while those leave whose places are taken already: both by one order, as the controller does it by itself. Undefined where
 * that is no way from here: fewer than `replicas` would be left until the new ones are ready.
 */
export function exchangeFor(from: Counts, to: Counts, replicas: number): Placement | undefined {
  const isExchange = to.before < from.before && to.after > from.after && to.before > 0 && from.after > 0;
  const isCarried = to.before + from.after >= replicas && to.after <= replicas;
  if (!isExchange || !isCarried) return undefined;
  const maxSurge = to.before + to.after - replicas;
  return { ...to, template: "after", replicas, maxSurge, maxUnavailable: replicas - to.before };
}

/**
 * One side leaves at once, all of it, and the other one is brought to `full`: nothing is waited for. Those that are missing may come beside those
 * that leave (`maxSurge`): otherwise the controller lets go first, and brings them one turn later.
 */
export function withdrawalFor(from: Counts, leaving: Side, full: number, replicas: number): readonly Placement[] {
  const staying = otherOf(leaving);
  if (from[leaving] === 0) return [];
  const path: Path = { counts: { ...from, [leaving]: 0 }, replicas, placements: [] };
  const end = Math.max(from[staying], full);
  const gone = end === 0 ? path : put(path, staying, replicas, 0);
  const { placements } = end === replicas && gone.placements.length > 0 ? gone : put(gone, staying, end, 0);
  const [first, ...rest] = placements;
  if (first === undefined || first[staying] === from[staying]) return placements;
  return [{ ...first, maxSurge: Math.min(from[leaving], first[staying] - from[staying]) }, ...rest];
}

type Path = { readonly counts: Counts; readonly replicas: number; readonly placements: readonly Placement[] };

function grow(path: Path, side: Side, target: number): Path {
  const own = path.counts[side];
  const other = path.counts[otherOf(side)];
  if (own >= target) return path;
  if (other === 0 || target <= path.replicas) return put(path, side, target, other);
  const asFar = own < path.replicas ? put(path, side, path.replicas, other) : path;
  return grow(again(asFar, side, Math.min(target, asFar.counts[side] + other)), side, target);
}

/** Taken away from the side that is not rolled to: of the template that it rolls to the controller takes nothing. */
function shrink(path: Path, side: Side, target: number): Path {
  const rolled = otherOf(side);
  const own = path.counts[rolled];
  if (path.counts[side] <= target) return path;
  if (own === 0) return put(path, side, target, 0);
  const least = Math.max(target, path.replicas - own);
  const asFar = path.counts[side] > least ? put(path, rolled, own, least) : path;
  if (least === target) return asFar;
  return shrink(again(asFar, rolled, Math.max(own, least, own + target)), side, target);
}

/** The same counts with another number of replicas. */
const again = (path: Path, side: Side, replicas: number): Path =>
  put({ ...path, replicas }, side, path.counts[side], path.counts[otherOf(side)]);

/** Rolls to `side`, which shall have `own` pods beside `other` of the other one. */
function put(path: Path, side: Side, own: number, other: number): Path {
  if (own === 0 && other > 0) return put(path, otherOf(side), other, 0);
  const counts: Counts = side === "before" ? { before: own, after: other } : { before: other, after: own };
  const replicas = Math.min(Math.max(path.replicas, own, other), own + other);
  const maxSurge = own + other - replicas;
  const isGrowth = own > path.counts[side] && maxSurge > 0;
  // Whoever only adds lets nobody leave, also while the controller still believes that pods of this template are available.
  const maxUnavailable = isGrowth ? 0 : replicas - other;
  const placement: Placement = {
    ...counts,
    template: side,
    replicas,
    maxSurge,
    maxUnavailable: maxSurge + maxUnavailable === 0 ? 1 : maxUnavailable,
  };
  return { counts, replicas, placements: [...path.placements, placement] };
}

export const otherOf = (side: Side): Side => (side === "before" ? "after" : "before");
