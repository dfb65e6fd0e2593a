import { after, cancelPending, go, order, settle, stay } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { FactOf, Failure } from "../fact.ts";
import type { Decision, Run } from "../run.ts";
import { AWAY_RETRIES, bar, isAbsence, isAway, placeAt, putAside, stillAway } from "./away.ts";
import { startBackup } from "./backing-up.ts";
import { unheard } from "./confirming.ts";
import { giveUp } from "./gating.ts";
import { foreign, hold, lookAgain } from "./holding.ts";
import { moveOf } from "./moving.ts";
import { refuse } from "./preparing.ts";
import { lastTouched, trip } from "./tripping.ts";
import { goOnHere, strand, withdrew } from "./undoing.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
/** An undo is tried again for about half a minute before it is called failed. */
const UNDO_RETRIES = 7;
const LOOK_RETRIES = 3;

/** An effect did not come true. Tried again while that may help; then each phase has its own end. */
export function fail(pending: Run, fact: FactOf<"effect-failed">): Decision {
  const effect = pending.pending[fact.id];
  const run = settle(pending, fact.id);
  if (effect === undefined) return stay(run);
  if (fact.failure.nature === "fenced") return fenced(run, fact.failure);
  const attempts = (run.attempts[fact.id] ?? 0) + 1;
  const tried: Run = { ...run, attempts: { ...run.attempts, [fact.id]: attempts } };
  const isHopeful = fact.failure.nature === "again" || fact.failure.nature === "unreachable";
  if (isAwayAlready(run, effect) && isAbsence(effect, fact.failure)) return stillAway(run, placeAt(effect) ?? "");
  if (isHopeful && attempts <= retriesOf(tried, isAbsence(effect, fact.failure)))
    return order(tried, [again(effect, attempts)]);
  const { [fact.id]: _, ...rest } = tried.attempts;
  return giveUpOn({ ...tried, attempts: rest }, effect, fact);
}

const again = (effect: Effect, attempt: number): Effect => ({
  id: `retry:${effect.id}:${attempt}`,
  kind: "timer",
  ms: Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)),
  next: effect,
});

const isAwayAlready = (run: Run, effect: Effect): boolean =>
  run.phase.kind === "undoing" && isAway(run, placeAt(effect) ?? "");

function retriesOf(run: Run, isAbsent: boolean): number {
  switch (run.phase.kind) {
    case "moving":
      return moveOf(run).retries;
    case "undoing":
    case "checking":
      return isAbsent ? AWAY_RETRIES : UNDO_RETRIES;
    case "backing-up":
      return UNDO_RETRIES;
    case "preparing":
    case "finishing":
    case "withdrawing":
    case "withdrawn":
    case "confirming":
    case "gating":
      return LOOK_RETRIES;
    case "holding":
    case "halted":
    case "ended":
      return 0;
  }
}

function giveUpOn(run: Run, effect: Effect, fact: FactOf<"effect-failed">): Decision {
  const said = sentence(fact.failure);
  switch (run.phase.kind) {
    case "preparing":
      return refuseNow(run, said);
    case "moving":
      return moveFailed(run, fact);
    case "holding":
      return lookAgain(run, fact.failure.message);
    case "gating":
      return giveUp(run);
    case "finishing":
      return fact.failure.nature === "foreign" ? foreign(run, fact.failure.message) : hold(run, said);
    case "withdrawn":
      return trip(run, {
        kind: "move-failed",
        text: `new instances could not be withdrawn: ${said}`,
        at: fact.at,
        ...lastTouched(run),
      });
    case "withdrawing":
      return withdrew(run);
    case "undoing":
      return placeAt(effect) === undefined ? undoFailed(run, effect, said) : placeFailed(run, effect, fact);
    case "backing-up":
      return strand(run, [], `backup plan ${run.phase.backup} failed: ${said}`);
    case "checking":
      if (effect.kind === "observe-workload" && isAbsence(effect, fact.failure))
        return unheard(run, effect, fact.failure.message);
      return strandUncompared(run, said);
    case "confirming":
      return strandUncompared(run, said);
    case "halted":
    case "ended":
      return stay(run);
  }
}

const strandUncompared = (run: Run, said: string): Decision =>
  strand(run, run.undone, `what was undone could not be compared with what was before: ${said}`);

/** Nobody answers there, or it will not go back: the others go back all the same. */
function placeFailed(run: Run, effect: Effect, { failure }: FactOf<"effect-failed">): Decision {
  const place = placeAt(effect) ?? "";
  if (!isAbsence(effect, failure))
    return goOnHere(bar(run, place, `the undo of ${effect.id.slice("undo:".length)} failed: ${sentence(failure)}`));
  const aside = putAside(run, place, failure.message);
  return after(aside, goOnHere(aside.run));
}

const sentence = (failure: Failure): string => `${failure.message} (${failure.code})`;

function refuseNow(run: Run, text: string): Decision {
  const rest = cancelPending(run);
  return after(rest, refuse(rest.run, text));
}

/** Unreachable: nothing can be taken back there either, so the run holds. Foreign: a person decides. Anything else turns the run back. */
function moveFailed(run: Run, fact: FactOf<"effect-failed">): Decision {
  if (fact.failure.nature === "unreachable") return hold(run, fact.failure.message);
  if (fact.failure.nature === "foreign") return foreign(run, fact.failure.message);
  const move = moveOf(run);
  // One migration in one transaction that failed left nothing behind.
  const isTraceless = move.kind === "migrate" && move.names.length === 1 && fact.failure.nature === "final";
  const told: Run = isTraceless ? { ...run, traceless: [...run.traceless, move.id] } : run;
  return trip(told, {
    kind: "move-failed",
    text: `${move.title}: ${sentence(fact.failure)}`,
    at: fact.at,
    suspect: move.id,
  });
}

function undoFailed(run: Run, effect: Effect, said: string): Decision {
  if (run.phase.kind !== "undoing") return stay(run);
  const [item, ...rest] = run.phase.items;
  const remaining = run.phase.items.flatMap((one) => one.moves);
  const quiet = cancelPending(run);
  if (item?.kind === "metadata" && item.backup !== undefined)
    return after(quiet, startBackup(quiet.run, item.backup, rest));
  return after(quiet, strand(quiet.run, remaining, `the undo of ${effect.id.slice("undo:".length)} failed: ${said}`));
}

/** A newer conductor acts: this one sends nothing more, not even a cancellation. */
function fenced(run: Run, failure: Failure): Decision {
  return go({ ...run, pending: {} }, { kind: "halted", code: "FENCED", why: failure.message });
}
