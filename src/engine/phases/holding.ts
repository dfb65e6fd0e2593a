import { after, awaits, cancelPending, go, isQuiet, notify, order, stay } from "../decision.ts";
import { looks } from "../begin.ts";
import type { Effect } from "../effect.ts";
import type { FactOf } from "../fact.ts";
import type { Decision, Run } from "../run.ts";
import { differenceOf, type Difference } from "../standing.ts";
import { enter, halt } from "./entering.ts";
import { giveUp } from "./gating.ts";
import { lastTouched, trip } from "./tripping.ts";

const LOOK_AGAIN_MS = 1_000;

/** Stops what is under way and moves nothing more. It goes on only after a look at the world and on new evidence. */
export const hold = (run: Run, why: string): Decision => lookFirst(run, why, [notify(run, "held", `holding: ${why}`)]);

/** The same where nobody needs to be told. */
export function lookFirst(run: Run, why: string, news: readonly Effect[] = []): Decision {
  const rest = cancelPending({ ...run, isEvidenced: false });
  const effects = [...news, ...watchWorld(rest.run), holdPatience(rest.run)];
  return after(rest, go(rest.run, { kind: "holding", why }, effects));
}

/** Ends a hold that nothing ends. */
export const holdPatience = (run: Run): Effect => ({
  id: `hold-patience:${run.facts}`,
  kind: "timer",
  ms: run.graph.guard.holdForMs,
});
const watchWorld = (run: Run): readonly Effect[] =>
  looks(run, `look-${run.facts}`).filter((effect) => effect.kind === "observe-workload");

/** A look is back, or it is time for another, or patience ended. */
export function looked(run: Run, fact: FactOf<"effect-done">): Decision {
  if (isHoldPatience(fact.id)) return giveUp(run);
  if (fact.result.kind === "elapsed") return order(run, watchWorld(run));
  if (fact.result.kind !== "workload") return stay(run);
  const component = fact.id.slice(fact.id.indexOf(":") + 1).split("/")[0] ?? "";
  const difference = differenceOf(run, component, fact.result.state);
  if (difference?.kind === "foreign") return foreign(run, difference.text);
  if (difference !== undefined) return missing(run, difference, fact.at);
  return isQuiet(run, isHoldPatience) ? goOn(run) : stay(run);
}

/** A server that dies takes old instances along, and comes back. New ones that die by themselves are a release that fails: waiting mends nothing. */
const NEW_ALONE_MS = 5_000;

function missing(run: Run, { text, isNewAlone }: Difference, at: number): Decision {
  const phase = run.phase.kind === "holding" ? run.phase : undefined;
  if (isNewAlone !== true) return lookAgain(run, text);
  const since = phase?.newAloneSince ?? at;
  if (at - since >= NEW_ALONE_MS)
    return trip(run, {
      kind: "move-failed",
      text: `new instances died by themselves, while every old one stands: ${text}`,
      at,
      ...lastTouched(run),
    });
  const again = lookAgain(run, text);
  return { ...again, run: { ...again.run, phase: { kind: "holding", why: text, newAloneSince: since } } };
}

/** Something is missing: say so, and look again in a second. */
export function lookAgain(run: Run, why: string): Decision {
  const isWaiting = awaits(run, (id) => id.startsWith("look-again:"));
  const waiting: Run = { ...run, phase: { kind: "holding", why } };
  return isWaiting
    ? stay(waiting)
    : order(waiting, [{ id: `look-again:${run.facts}`, kind: "timer", ms: LOOK_AGAIN_MS }]);
}

export const isHoldPatience = (id: string): boolean => id.startsWith("hold-patience:");

function goOn(run: Run): Decision {
  const rest = cancelPending(run);
  const mark: Effect = { kind: "mark", id: `mark:held:${run.facts}`, cause: { kind: "start" } };
  return isQuiet(rest.run) ? after(rest, enter(rest.run, rest.run.next, [mark])) : rest;
}

/** Whatever midflight did not change itself is left alone: a person decides. */
export function foreign(run: Run, text: string): Decision {
  const rest = cancelPending(run);
  return after(rest, halt(rest.run, "FOREIGN_CHANGE", `somebody else changed the world: ${text}`));
}
