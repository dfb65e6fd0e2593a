import { after, awaits, notify, order, stay, without } from "../decision.ts";
import type { Effect, EffectOf } from "../effect.ts";
import type { Failure } from "../fact.ts";
import { placeOf, type Decision, type Run } from "../run.ts";
import { regionsToRestore, type WorkloadItem } from "../undo-items.ts";

/** What an undo could not reach is looked at this often, and waited for this long: a restored region goes back without anybody's doing. */
const LOOK_AGAIN_MS = 5_000;
export const AWAY_PATIENCE_MS = 3_600_000;
/** Asked twice more before it is called away: the other regions wait for it until then. */
export const AWAY_RETRIES = 2;

/** Whether nobody answered for instances. Those that were only too slow did answer. */
export function isAbsence(
  effect: Effect,
  { nature, code }: Failure,
): effect is EffectOf<"observe-workload" | "shape" | "weigh"> {
  if (nature !== "unreachable") return false;
  if (effect.kind === "observe-workload") return true;
  return (effect.kind === "shape" || effect.kind === "weigh") && code !== "EFFECT_TIMED_OUT";
}

/** `component/region` of an effect of an undo, or of the pause before it is sent again. */
export function placeAt(effect: Effect): string | undefined {
  const { id } = effect.kind === "timer" && effect.next !== undefined ? effect.next : effect;
  return /^undo:([^:]+\/[^:]+):/.exec(id)?.[1];
}

export const isAway = (run: Run, place: string): boolean => run.away?.[place] !== undefined;
export const isAnyAway = ({ away = {} }: Run): boolean => Object.keys(away).length > 0;
export const isPatience = (id: string): boolean => id.startsWith("away-patience:");

/** Whether everything that is pending belongs to places that are away. */
export const isQuietHere = (run: Run): boolean =>
  Object.values(run.pending).every((effect) => {
    const place = placeAt(effect);
    return isPatience(effect.id) || (place !== undefined && isAway(run, place));
  });

/** Nobody answers there: it stands as it is and is looked at, and the others go on. */
export const putAside = (run: Run, place: string, why: string): Decision =>
  order({ ...run, away: { ...run.away, [place]: { why } } }, [
    ...patience(run),
    lookLater(run, place),
    notify(
      run,
      "held",
      `${place} cannot be reached and stands as it is: everything else goes back, and it follows once it answers: ${why}`,
    ),
  ]);

/** It will not go back: nobody asks there any more, and once the others are back the run says so. */
export const bar = (run: Run, place: string, why: string): Run => ({
  ...run,
  away: { ...run.away, [place]: { why, isBarred: true } },
});

const patience = (run: Run): readonly Effect[] =>
  awaits(run, isPatience) ? [] : [{ id: `away-patience:${run.facts}`, kind: "timer", ms: AWAY_PATIENCE_MS }];

const lookLater = (run: Run, place: string): Effect => {
  const [component = "", region = ""] = place.split("/");
  return {
    id: `away:${place}:${run.facts}`,
    kind: "timer",
    ms: LOOK_AGAIN_MS,
    next: { id: `undo:${place}:look`, kind: "observe-workload", component, region, deadlineMs: LOOK_DEADLINE_MS },
  };
};

/** A region that swallows what it is asked holds up the others for no longer. */
export const LOOK_DEADLINE_MS = 10_000;

/** Still nobody answers there. */
export const stillAway = (run: Run, place: string): Decision => order(run, [lookLater(run, place)]);

/** It is back as it was. The patience that is left over has nothing more to wait for. */
export function cameBack(run: Run, place: string): Decision {
  const { [place]: _, ...away } = run.away ?? {};
  const { away: __, ...rest } = run;
  if (Object.keys(away).length > 0) return stay({ ...rest, away });
  return without(rest, isPatience);
}

/** A component whose turn comes now is not asked for where another one could not be reached: what was built on it is still there. */
export function asideAtOnce(run: Run, item: WorkloadItem): Decision {
  return regionsToRestore(run, item).reduce<Decision>((known, region) => {
    const place = placeOf(item.component, region);
    const other = Object.entries(known.run.away ?? {}).find(([one]) => one.endsWith(`/${region}`));
    if (other === undefined || isAway(known.run, place)) return known;
    const [, { why, isBarred }] = other;
    if (isBarred === true) return { ...known, run: bar(known.run, place, why) };
    const away = { ...known.run, away: { ...known.run.away, [place]: { why } } };
    return after(known, order(away, [lookLater(away, place)]));
  }, stay(run));
}

/** A conductor that comes later asks once more, whoever refused the one before. */
export const askAgain = (run: Run): Decision =>
  Object.entries(run.away ?? {})
    .filter(([, { isBarred }]) => isBarred === true)
    .reduce<Decision>((known, [place, { why }]) => {
      const asked = { ...known.run, away: { ...known.run.away, [place]: { why } } };
      return after(known, order(asked, [...patience(asked), lookLater(asked, place)]));
    }, stay(run));
