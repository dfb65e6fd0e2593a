import { clearanceText, mayApprove } from "../engine/clearance.ts";
import type { Effect } from "../engine/effect.ts";
import type { Fact } from "../engine/fact.ts";
import type { Run } from "../engine/run.ts";
import type { RunEvent } from "./event.ts";
import { fillText } from "./fill-text.ts";
import { utc } from "./utc.ts";

/** A journal entry as views get it: the fact, what was ordered on it, and the run before and after. */
export type Told = {
  readonly seq: number;
  readonly fact: Fact;
  readonly effects: readonly Effect[];
  readonly before: Run | undefined;
  readonly after: Run;
  /** When each move was started, ms; filled by the caller as it goes. */
  readonly startedAt: ReadonlyMap<string, number>;
};

type Bare = RunEvent extends infer One ? (One extends RunEvent ? Omit<One, "at" | "run" | "seq"> : never) : never;

/** What the public stream says of one journal entry: first of the fact itself, then of what it changed. */
export function eventsOf(told: Told): readonly RunEvent[] {
  const stem = { at: utc(told.fact.at), run: told.after.id, seq: told.seq };
  return [...ofFact(told), ...ofChange(told)].map((bare): RunEvent => ({ ...stem, ...bare }));
}

function ofFact(told: Told): readonly Bare[] {
  const { fact, before, after } = told;
  switch (fact.kind) {
    case "opened": {
      const { graph } = fact;
      const cleared = fact.clearance === undefined ? "" : `, ${clearanceText(fact.clearance)}`;
      const message = `run ${fact.run}: ${graph.plan} on ${graph.environment} (${graph.class}), ${graph.moves.length} moves${cleared}`;
      return [
        {
          kind: "run-opened",
          plan: graph.plan,
          environment: graph.environment,
          class: graph.class,
          moves: graph.moves.length,
          planFingerprint: fact.planFingerprint,
          ...(fact.clearance === undefined ? {} : { clearance: fact.clearance }),
          message,
        },
      ];
    }
    case "conductor-started":
      return [
        {
          kind: "run-resumed",
          epoch: fact.epoch,
          host: fact.host,
          ...(fact.unheld === undefined ? {} : { unheld: fact.unheld }),
          message: `resumed by a new conductor, epoch ${fact.epoch}${fact.clearance === undefined ? "" : `, ${clearanceText(fact.clearance)}`}${unheldText(fact.unheld)}`,
        },
      ];
    case "verdict":
      return [
        {
          kind: "verdict",
          state: fact.verdict.state,
          reason: fact.verdict.reason,
          regions: fact.verdict.regions,
          message: `guard: ${fact.verdict.state}: ${fact.verdict.reason}`,
        },
      ];
    case "asked":
      return [
        { kind: "asked", what: fact.what, by: fact.by, message: `${fact.by} asks: ${fact.what}${refusal(told)}` },
      ];
    case "undelivered":
      return [
        { kind: "undelivered", notifier: fact.notifier, message: `not delivered by ${fact.notifier}: ${fact.why}` },
      ];
    case "probe-filled":
      return [
        {
          kind: "probe-filled",
          region: fact.fill.region,
          order: fact.fill.clOrdId,
          state: fact.fill.state,
          message: `warning: ${fillText(fact.fill)}`,
        },
      ];
    case "effect-failed":
      if (before?.pending[fact.id] === undefined) return [];
      return [
        {
          kind: "attempt-failed",
          effect: fact.id,
          code: fact.failure.code,
          hint: fact.failure.hint,
          message: `${fact.id}: ${fact.failure.message}`,
        },
      ];
    case "effect-done":
      return fact.result.kind === "evidence" && before?.pending[fact.id] !== undefined
        ? [{ kind: "evidence", move: titleOf(after), message: fact.result.verdict.reason }]
        : [];
    case "sighted":
    case "delivered":
    case "tally":
      return [];
  }
}

const unheldText = (unheld: readonly string[] | undefined): string =>
  unheld === undefined
    ? ""
    : `; could not be reached and is left as it stands until its lease can be had: ${unheld.join(", ")}`;

const refusal = ({ fact, after }: Told): string =>
  fact.kind === "asked" && fact.what === "approve" && !mayApprove(after.clearance, fact.by)
    ? ", and signed the certificate: not counted, somebody else must approve"
    : "";

const titleOf = (run: Run): string => run.graph.moves[run.next]?.title ?? "the end";

/** What became of the run. */
function ofChange(told: Told): readonly Bare[] {
  const { before, after } = told;
  if (before === undefined) return [];
  return [...moveDone(told), ...phaseChange(told), ...undoProgress(before, after)];
}

function moveDone({ before, after, fact, startedAt }: Told): readonly Bare[] {
  if (before?.phase.kind !== "moving" || after.next === before.next) return [];
  return before.graph.moves.slice(before.next, after.next).flatMap((move): readonly Bare[] => {
    const started = startedAt.get(move.id);
    return started === undefined
      ? []
      : [{ kind: "move-done", move: move.id, ms: fact.at - started, message: `done: ${move.title}` }];
  });
}

function phaseChange({ before, after, effects }: Told): readonly Bare[] {
  const { phase } = after;
  const isSame = before?.phase.kind === phase.kind && before.next === after.next && !isSatOut(before, after);
  const recorded: readonly Bare[] =
    before?.phase.kind === "preparing" && phase.kind !== "preparing" && phase.kind !== "ended"
      ? [
          {
            kind: "before-recorded",
            components: Object.keys(after.graph.components),
            message: "recorded what is there now; an undo restores exactly that",
          },
        ]
      : [];
  if (isSame && !(phase.kind === "moving" && effects.some((effect) => effect.kind === "mark"))) return recorded;
  return [...recorded, ...entered(after, before?.cause === undefined)];
}

const heldFor = (why: string): Bare => ({ kind: "held", why, message: `holding, nothing moves: ${why}` });

/** By now it is not the new release that is in doubt, or it is again. */
const isSatOut = ({ phase: was }: Run, { phase: is }: Run): boolean =>
  was.kind === "withdrawn" && is.kind === "withdrawn" && (was.why === undefined) !== (is.why === undefined);

function entered(run: Run, isNews: boolean): readonly Bare[] {
  const { phase } = run;
  const move = run.graph.moves[run.next];
  switch (phase.kind) {
    case "gating":
      return [
        {
          kind: "gate-waiting",
          move: move?.id ?? "end",
          message: `waiting for evidence of health before: ${titleOf(run)}`,
        },
      ];
    case "moving":
      return move === undefined
        ? []
        : [{ kind: "move-started", move: move.id, step: move.step, title: move.title, message: move.title }];
    case "withdrawn":
      if (phase.why !== undefined) return [heldFor(phase.why)];
      return [
        {
          kind: "withdrawn",
          regions: phase.regions,
          message: `new instances withdrawn from traffic in ${phase.regions.join(", ")}`,
        },
      ];
    case "holding":
      return [heldFor(phase.why)];
    case "withdrawing":
    case "undoing":
      return run.cause === undefined || !isNews
        ? []
        : [{ kind: "tripped", cause: run.cause.text, message: `turning back: ${run.cause.text}` }];
    case "backing-up":
      return [
        {
          kind: "backup-started",
          backup: phase.backup,
          message: `backup plan ${phase.backup}, action ${phase.action + 1}`,
        },
      ];
    case "confirming":
      return [{ kind: "confirming", message: "everything is back as it was; waiting until users are served again" }];
    case "halted":
      return [{ kind: "halted", code: phase.code, why: phase.why, message: `halted: ${phase.why}` }];
    case "ended":
      return [{ kind: "ended", outcome: phase.outcome, message: `${phase.outcome}: ${phase.text}` }];
    case "preparing":
    case "finishing":
    case "checking":
      return [];
  }
}

function undoProgress(before: Run, after: Run): readonly Bare[] {
  const undone = after.undone.slice(before.undone.length);
  const done: readonly Bare[] =
    undone.length === 0 ? [] : [{ kind: "undone", moves: undone, message: `undone: ${undone.join(", ")}` }];
  const places = [...placesAway(before, after), ...done];
  if (after.phase.kind !== "undoing") return places;
  const [item] = after.phase.items;
  const isNew =
    before.phase.kind !== "undoing" ||
    before.phase.stage !== after.phase.stage ||
    before.phase.items.length !== after.phase.items.length;
  if (!isNew || (item === undefined && after.phase.stage !== "await")) return places;
  const what = item === undefined ? "the rest" : item.kind === "run" ? item.argv.join(" ") : item.component;
  return [
    ...places,
    { kind: "undo-step", what, stage: after.phase.stage, message: `undo ${what}: ${STAGES[after.phase.stage]}` },
  ];
}

function placesAway({ away: were = {} }: Run, { away: are = {} }: Run): readonly Bare[] {
  const gone = Object.entries(are).filter(
    ([place, { isBarred }]) => were[place]?.isBarred !== isBarred || were[place] === undefined,
  );
  const back = Object.keys(were).filter((place) => are[place] === undefined);
  return [
    ...gone.map(([place, { why, isBarred }]): Bare => ({
      kind: "place-away",
      place,
      why,
      message:
        isBarred === true
          ? `${place} is not taken back: ${why}`
          : `${place} cannot be reached and stands as it is; it follows once it answers: ${why}`,
    })),
    ...back.map((place): Bare => ({ kind: "place-back", place, message: `${place} answers again, and is taken back` })),
  ];
}

const STAGES = {
  look: "looking at what is there",
  "bring-back": "the old release comes back",
  readmit: "the old release takes the traffic",
  clear: "the new release is cleared away",
  only: "running its undo",
  await: "waiting for places that cannot be reached",
} as const;
