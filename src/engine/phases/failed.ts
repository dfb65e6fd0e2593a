import { after, cancelPending, go, order, settle, stay } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { FactOf, Failure } from "../fact.ts";
import type { Decision, Run } from "../run.ts";
import { AWAY_RETRIES, bar, isAbsence, isAnyAway, isAway, placeAt, putAside, stillAway } from "./away.ts";
import { startBackup } from "./backing-up.ts";
import { keptItems, unheard } from "./confirming.ts";
import { giveUp } from "./gating.ts";
import { foreign, hold, lookAgain } from "./holding.ts";
import { moveOf } from "./moving.ts";
import { refuse } from "./preparing.ts";
import { lastTouched, trip } from "./tripping.ts";
import { goOnHere, nextItem, strand, withdrew } from "./undoing.ts";

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
  const isAbsent = isAbsence(effect, fact.failure);
  if (isAwayAlready(run, effect) && isAbsent) return stillAway(run, placeAt(effect) ?? "");
  const isTriedAgain = isHopeful && attempts <= retriesOf(tried, isAbsent);
  const next = isTriedAgain ? again(effect, attempts, timeOf(tried, fact.at)) : undefined;
  if (next !== undefined) return order(tried, [next]);
  const { [fact.id]: _, ...rest } = tried.attempts;
  return giveUpOn({ ...tried, attempts: rest }, effect, fact);
}

/** None where the deadline would cut it off sooner than those before it took to fail: it could tell nothing new. */
function again(effect: Effect, attempt: number, { spentMs, leftMs }: Time): Effect | undefined {
  const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  const left = leftMs - ms;
  return left <= 0 || left < spentMs / attempt
    ? undefined
    : { id: `retry:${effect.id}:${attempt}`, kind: "timer", ms, next: shortened(effect, left) };
}

type Time = { readonly spentMs: number; readonly leftMs: number };

/** A move's deadline is one for all of its attempts: otherwise three of them take three times as long as the plan says. */
function timeOf(run: Run, at: number): Time {
  if (run.phase.kind !== "moving" || run.phase.since === undefined) return { spentMs: 0, leftMs: Infinity };
  const spentMs = at - run.phase.since;
  return { spentMs, leftMs: moveOf(run).deadlineMs - spentMs };
}

function shortened(effect: Effect, left: number): Effect {
  if (effect.kind === "run") return { ...effect, timeoutMs: Math.min(effect.timeoutMs, left) };
  return "deadlineMs" in effect ? { ...effect, deadlineMs: Math.min(effect.deadlineMs, left) } : effect;
}

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
      return placeAt(effect) === undefined
        ? undoFailed(run, effect, fact.failure)
        : placeFailed(run, effect, fact.failure);
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

const sentence = (failure: Failure): string => `${failure.message} (${failure.code})`;

function refuseNow(run: Run, text: string): Decision {
  const rest = cancelPending(run);
  return after(rest, refuse(rest.run, text));
}

/** A place that could be looked at after each of so many holds, and still takes no order, will not take it. */
const MOST_HOLDS = 3;

/** Unreachable: nothing can be taken back there either, so the run holds. Foreign: a person decides. Anything else turns the run back. */
function moveFailed(run: Run, fact: FactOf<"effect-failed">): Decision {
  const move = moveOf(run);
  const held = `held:${move.id}`;
  const holds = run.attempts[held] ?? 0;
  if (fact.failure.nature === "unreachable" && holds < mostHolds(fact.failure))
    return hold({ ...run, attempts: { ...run.attempts, [held]: holds + 1 } }, fact.failure.message);
  if (fact.failure.nature === "foreign") return foreign(run, fact.failure.message);
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

/** One that kept silent for the whole of its deadline is asked once more, and not three times. */
const mostHolds = ({ code }: Failure): number => (code === "EFFECT_TIMED_OUT" ? 1 : MOST_HOLDS);

function undoFailed(run: Run, effect: Effect, failure: Failure): Decision {
  if (run.phase.kind !== "undoing") return stay(run);
  const { items } = run.phase;
  const [item, ...rest] = items;
  const quiet = cancelPending(run);
  if (item?.kind === "metadata" && item.backup !== undefined)
    return after(quiet, startBackup(quiet.run, item.backup, rest));
  const remaining = items.flatMap((one) => one.moves);
  return after(quiet, strand(quiet.run, remaining, undoText(effect, failure)));
}

/** Nobody answers there, or it will not go back: the others go back all the same. */
function placeFailed(run: Run, effect: Effect, failure: Failure): Decision {
  const place = placeAt(effect) ?? "";
  if (isAbsence(effect, failure)) {
    const aside = putAside(run, place, failure.message);
    return after(aside, goOnHere(aside.run));
  }
  return schemaFirst(run, failure) ?? goOnHere(bar(run, place, undoText(effect, failure)));
}

/** Old instances that do not come up may be barred by metadata that was kept: where no user is on the new ones, it goes back before them. */
function schemaFirst(run: Run, failure: Failure): Decision | undefined {
  if (run.phase.kind !== "undoing" || failure.code !== "INSTANCE_NOT_READY") return undefined;
  const quiet = cancelPending(run);
  const kept = keptItems(quiet.run);
  // What is away runs the new release still, on just that metadata.
  if (kept.length === 0 || run.withdrawnAt === undefined || isAnyAway(run)) return undefined;
  return after(quiet, nextItem({ ...quiet.run, kept: [] }, [...kept, ...run.phase.items]));
}

const undoText = (effect: Effect, failure: Failure): string =>
  `the undo of ${effect.id.slice("undo:".length)} failed: ${sentence(failure)}`;

/** A newer conductor acts: this one sends nothing more, not even a cancellation. */
function fenced(run: Run, failure: Failure): Decision {
  return go({ ...run, pending: {} }, { kind: "halted", code: "FENCED", why: failure.message });
}
