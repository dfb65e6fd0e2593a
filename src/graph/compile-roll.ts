import type { RollStep, Wave } from "../plan/model.ts";
import type { WorkloadComponent } from "./graph.ts";
import type { Move } from "./move.ts";
import { seconds } from "./seconds.ts";

type Stem = { readonly id: string; readonly step: number; readonly deadlineMs: number; readonly retries: number };
type Batch = Stem & {
  readonly fresh: number;
  readonly before: number;
  readonly regions: readonly string[];
  readonly component: WorkloadComponent;
};

/** Waves over regions, batches over instances, four moves a batch. The regions of a wave go together. */
export function compileRoll(
  component: WorkloadComponent,
  step: RollStep,
  stem: Stem,
  regionSets: readonly (readonly string[])[],
): readonly Move[] {
  return step.waves.flatMap((wave, index) => {
    const regions = regionSets[index] ?? [];
    if (regions.length === 0) return [];
    const id = `${stem.id}/wave-${index + 1}`;
    const shares = wave.sharesPct ?? (component.isSwitched === true ? [100] : undefined);
    if (shares !== undefined) {
      const all = { ...stem, id: `${id}/batch-1`, fresh: component.instances, before: 0, regions, component };
      return sharedMoves(step, all, shares, wave.soakMs);
    }
    const batches = batchTotals(component.instances, wave.batch).flatMap((fresh, number) => {
      const before = Math.min(component.instances, number * wave.batch);
      return batchMoves(step, wave, { ...stem, id: `${id}/batch-${number + 1}`, fresh, before, regions, component });
    });
    return wave.soakMs > 0 ? [...batches, soakMove(stem, id, wave.soakMs)] : batches;
  });
}

/** How many are new after each batch: 6 by 4 → 4, 6. */
const batchTotals = (instances: number, batch: number): readonly number[] =>
  Array.from({ length: Math.ceil(instances / batch) }, (_, index) => Math.min(instances, (index + 1) * batch));

/**
 * In place: whoever is proved in the dark stands in for those who come, and to be admitted is to take the place of an old one. After the last
 * batch nobody is left to retire; the move says so, and lets the driver tidy up.
 */
function inPlaceMoves(step: RollStep, batch: Batch): readonly Move[] {
  const { instances, target } = batch.component;
  const keep = instances - batch.fresh;
  const proof =
    step.dark === undefined ? [] : [startMove(step, batch, instances - batch.before), ...proveMoves(step, batch)];
  const admit: Move = {
    ...admitMove(batch, keep),
    title: `replace ${batch.fresh}/${instances} by ${target.release} in their places in ${batch.regions.join(", ")}`,
  };
  return [...proof, admit, ...(keep === 0 ? [retireMove(step, batch, keep, batch.fresh)] : [])];
}

/**
 * Admission itself brings whom nobody proves: pods that come up in the dark would only come up twice. The old ones of the batch before leave with
 * the same stroke, as they do in a rollout that nobody guards; who is there to take their place was judged before it.
 */
function broughtMoves(step: RollStep, batch: Batch): readonly Move[] {
  const { instances } = batch.component;
  const admit = admitMove(batch, instances - batch.before);
  const last = batch.fresh === instances ? [retireMove(step, batch, 0, instances)] : [];
  return batch.before === 0
    ? [admit, ...last]
    : [{ ...admit, title: `${admit.title}, and retire the old ones down to ${admit.keep}/${instances}` }, ...last];
}

/** All new ones come up beside all old ones, users go over by shares, and the old ones stay until the last share has soaked: the way back is one order. */
function sharedMoves(step: RollStep, batch: Batch, shares: readonly number[], soakMs: number): readonly Move[] {
  const { instances, target } = batch.component;
  const soak = (of: string): readonly Move[] => (soakMs > 0 ? [soakMove(batch, of, soakMs)] : []);
  const shifts = shares.slice(0, -1).flatMap((toPct): readonly Move[] => {
    const shift: Move = {
      ...stemOf(batch, `${batch.id}/shift-${toPct}`),
      kind: "shift",
      component: batch.component.name,
      regions: batch.regions,
      toPct,
      title: `shift ${toPct}% to ${target.release} in ${batch.regions.join(", ")}`,
    };
    return [shift, ...soak(shift.id)];
  });
  const admit: Move = {
    ...admitMove(batch, instances),
    isSwitch: true,
    title: `switch all users to ${target.release} in ${batch.regions.join(", ")}`,
  };
  const retire = {
    ...retireMove(step, batch, 0, batch.fresh),
    title: `retire the old ones in ${batch.regions.join(", ")}`,
  };
  return [startMove(step, batch, instances), ...proveMoves(step, batch), ...shifts, admit, ...soak(admit.id), retire];
}

function batchMoves(step: RollStep, wave: Wave, batch: Batch): readonly Move[] {
  if (batch.component.isInPlace === true) return inPlaceMoves(step, batch);
  const surplusFirst = wave.surge > 0;
  const isBrought = step.dark === undefined && batch.component.isBroughtByAdmission === true;
  if (isBrought && surplusFirst) return broughtMoves(step, batch);
  const old = batch.component.instances - batch.before;
  const keep = batch.component.instances - batch.fresh;
  const present = surplusFirst ? old : keep;
  const dark = isBrought ? [] : [startMove(step, batch, present), ...proveMoves(step, batch)];
  const forward = [...dark, admitMove(batch, present)];
  // Without surplus the old ones must leave before there is room for the new.
  return surplusFirst
    ? [...forward, retireMove(step, batch, keep, batch.fresh)]
    : [retireMove(step, batch, keep, batch.before), ...forward];
}

const stemOf = ({ step, deadlineMs, retries }: Batch, id: string) => ({ id, step, deadlineMs, retries });

const startMove = (step: RollStep, batch: Batch, keep: number): Move => ({
  ...stemOf(batch, `${batch.id}/start`),
  kind: "start",
  component: step.component,
  regions: batch.regions,
  fresh: batch.fresh,
  keep,
  drain: step.drain,
  title: `start ${batch.component.target.release} ${batch.fresh}/${batch.component.instances} in the dark in ${batch.regions.join(", ")}`,
});

const proveMoves = (step: RollStep, batch: Batch): readonly Move[] =>
  step.dark === undefined
    ? []
    : [
        {
          ...stemOf(batch, `${batch.id}/prove`),
          kind: "prove",
          component: step.component,
          regions: batch.regions,
          proved: batch.before,
          fresh: batch.fresh,
          dark: step.dark,
          title: `prove ${batch.component.target.release} in the dark in ${batch.regions.join(", ")}`,
        },
      ];

const admitMove = (batch: Batch, keep: number): Extract<Move, { readonly kind: "admit" }> => ({
  ...stemOf(batch, `${batch.id}/admit`),
  kind: "admit",
  component: batch.component.name,
  regions: batch.regions,
  fresh: batch.fresh,
  keep,
  title: `admit ${batch.component.target.release} ${batch.fresh}/${batch.component.instances} in ${batch.regions.join(", ")}`,
});

const retireMove = (step: RollStep, batch: Batch, keep: number, fresh: number): Move => ({
  ...stemOf(batch, `${batch.id}/retire`),
  kind: "retire",
  component: step.component,
  regions: batch.regions,
  fresh,
  keep,
  drain: step.drain,
  title:
    keep === 0
      ? `retire the last old ones in ${batch.regions.join(", ")}`
      : `retire the old ones down to ${keep}/${batch.component.instances} in ${batch.regions.join(", ")}`,
});

const soakMove = ({ step, deadlineMs, retries }: Stem, id: string, ms: number): Move => ({
  step,
  deadlineMs,
  retries,
  id: `${id}/soak`,
  kind: "soak",
  ms,
  title: `soak ${seconds(ms)}`,
});
