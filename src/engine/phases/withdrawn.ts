import type { Verdict } from "../../guard/verdict.ts";
import { after, awaits, cancelPending, go, isQuiet, notify, order, resend, stay, without } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { FactOf } from "../fact.ts";
import { placeOf, type Decision, type Run } from "../run.ts";
import { componentOf, standingOf, weighingOf } from "../standing.ts";
import { giveUp } from "./gating.ts";
import { hold, holdPatience, isHoldPatience, lookFirst } from "./holding.ts";
import { enter } from "./entering.ts";
import { lastTouched, trip } from "./tripping.ts";

const WITHDRAW_DEADLINE_MS = 5_000;
/** Who was taken away comes up anew; in place, one after the other. */
const RETURN_DEADLINE_MS = 120_000;
/** Old instances that must be left to carry the users before the new ones are taken away all at once. */
const LEAST_OLD_SHARE = 0.5;

/** New instances look worse: no user reaches them while the guard makes up its mind. */
export function withdraw(run: Run, verdict: Verdict): Decision {
  const effects = withdrawals(run, verdict.regions);
  if (effects.length === 0) return run.phase.kind === "holding" ? stay(run) : hold(run, verdict.reason);
  const rest = cancelPending(run);
  const regions = effects.map((effect) => effect.region);
  return after(
    rest,
    go({ ...rest.run, withdrawnAt: run.withdrawnAt ?? verdict.at }, { kind: "withdrawn", regions }, [
      ...effects,
      suspicion(run),
      notify(run, "held", `withdrawn from traffic: ${verdict.reason}`),
    ]),
  );
}

/** The guard itself turns a suspicion that does not clear into `failing`; this is for the day when it doesn't. */
const suspicion = (run: Run): Effect => ({
  id: `suspicion:${run.facts}`,
  kind: "timer",
  ms: run.graph.guard.suspectForMs * 3,
});

/**
 * It is not the new release: servers are gone, or the old one is in trouble too. Then nothing is taken back because a suspicion of before did not
 * clear, and nothing is given to them either; they wait where they are until there is health.
 */
export function sitOut(run: Run, why: string): Decision {
  if (run.phase.kind !== "withdrawn" || run.phase.why !== undefined || awaits(run, isReadmission)) return stay(run);
  return wait(without(run, isSuspicion), run.phase.regions, why, [notify(run, "held", `holding: ${why}`)]);
}

/** The new release is suspected all the same, perhaps elsewhere too. */
export function suspectAgain(run: Run, verdict: Verdict): Decision {
  if (run.phase.kind !== "withdrawn" || run.phase.why === undefined) return stay(run);
  const effects = withdrawals(run, verdict.regions);
  const rest = without(run, isHoldPatience);
  const regions = [...new Set([...run.phase.regions, ...effects.map(({ region }) => region)])];
  return after(rest, go(rest.run, { kind: "withdrawn", regions }, [...effects, suspicion(run)]));
}

/** So does a conductor that finds them there. What was on its way goes out again, and so does a withdrawal that a halt may have cut off. */
export const sitOutAgain = (run: Run, regions: readonly string[], why: string): Decision =>
  wait(isQuiet(run) ? order(run, withdrawals(run, regions)) : resend(run), regions, why);

function wait(first: Decision, regions: readonly string[], why: string, news: readonly Effect[] = []): Decision {
  const { run } = first;
  const patience = awaits(run, isHoldPatience) ? [] : [holdPatience(run)];
  return after(first, go(run, { kind: "withdrawn", regions, why }, [...news, ...patience]));
}

/** Also before it is tried again. */
const isReadmission = (id: string): boolean => id.startsWith("readmit:") || id.startsWith("retry:readmit:");
const isSuspicion = (id: string): boolean => id.startsWith("suspicion:");

/** Weight 0 for every new instance that users reach, in these regions (none named: everywhere). */
export function withdrawals(
  run: Run,
  regions: readonly string[],
): readonly Extract<Effect, { readonly kind: "weigh" }>[] {
  return Object.values(run.graph.components).flatMap((component) => {
    if (component.kind !== "workload") return [];
    return component.regions
      .filter((region) => regions.length === 0 || regions.includes(region))
      .filter((region) => isExposed(run, component.name, region) && canSpare(run, component.name, region))
      .map((region) => ({
        id: `withdraw:${placeOf(component.name, region)}:${run.facts}`,
        kind: "weigh" as const,
        component: component.name,
        region,
        weighing: weighingOf(run, component.name, region, { ...standingOf(run, component.name, region), admitted: 0 }),
        deadlineMs: WITHDRAW_DEADLINE_MS,
      }));
  });
}

/** Also while the very first admission is under way. */
function isExposed(run: Run, component: string, region: string): boolean {
  const move = run.graph.moves[run.next];
  const isAdmitting =
    run.phase.kind === "moving" &&
    (move?.kind === "admit" || move?.kind === "shift") &&
    move.component === component &&
    move.regions.includes(region);
  return standingOf(run, component, region).admitted > 0 || isAdmitting;
}

const canSpare = (run: Run, component: string, region: string): boolean =>
  leastOld(run, component, region) >= Math.ceil(componentOf(run, component).instances * LEAST_OLD_SHARE);

/** A move that was sent may have taken old ones away already, whatever became of its answer. */
function leastOld(run: Run, component: string, region: string): number {
  const { old } = standingOf(run, component, region);
  const move = run.graph.moves[run.next];
  if (move?.kind !== "admit" && move?.kind !== "retire") return old;
  const isSent = run.touched.includes(move.id) && move.component === component && move.regions.includes(region);
  return isSent ? Math.min(old, move.keep) : old;
}

/** The suspicion cleared: they come back, and the move that was interrupted is entered again. */
export function readmit(run: Run): Decision {
  const rest = cancelPending(run);
  if (run.phase.kind !== "withdrawn") return stay(run);
  const effects = Object.values(run.graph.components).flatMap((component): readonly Effect[] =>
    component.kind !== "workload"
      ? []
      : component.regions
          .filter((region) => standingOf(run, component.name, region).admitted > 0)
          .map((region) => ({
            id: `readmit:${placeOf(component.name, region)}:${run.facts}`,
            kind: "weigh",
            component: component.name,
            region,
            weighing: weighingOf(run, component.name, region, standingOf(run, component.name, region)),
            deadlineMs:
              component.isInPlace === true || component.isBroughtByAdmission === true
                ? RETURN_DEADLINE_MS
                : WITHDRAW_DEADLINE_MS,
          })),
  );
  const mark: Effect = { kind: "mark", id: `mark:readmit:${run.facts}`, cause: { kind: "start" } };
  return effects.length === 0
    ? after(rest, enter({ ...rest.run, isEvidenced: false }, run.next, [mark]))
    : after(rest, go(rest.run, run.phase, [...effects, mark]));
}

/** A withdrawal or a readmission is done, or patience ended. After anything but a suspicion the world is looked at before the run goes on. */
export function readmitted(run: Run, fact: FactOf<"effect-done">): Decision {
  if (isHoldPatience(fact.id)) return giveUp(run);
  if (isSuspicion(fact.id))
    return trip(run, {
      kind: "guard",
      text: run.verdict?.reason ?? "a suspicion did not clear",
      at: fact.at,
      ...lastTouched(run),
    });
  const isDone = isReadmission(fact.id) && isQuiet(run, isHoldPatience);
  if (!isDone || run.phase.kind !== "withdrawn") return stay(run);
  const back: Run = { ...run, isEvidenced: false };
  return run.phase.why === undefined
    ? enter(back, run.next)
    : lookFirst(back, "new instances take traffic again; looking at the world first");
}
