import { clearanceText, type Clearance } from "../engine/clearance.ts";
import type { Fact, FactOf, TallyRow } from "../engine/fact.ts";
import type { Run } from "../engine/run.ts";
import type { UnlistedCode } from "../guard/unlisted.ts";
import { utc } from "./utc.ts";

/** One run in plain data: what `status`, `runs` and the report tell. Times are UTC texts. */
export type RunSummary = {
  readonly run: string;
  readonly plan: string;
  readonly environment: string;
  readonly class: string;
  /** Outcome when it ended, otherwise the phase. */
  readonly state: string;
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly planFingerprint: string;
  readonly midflight: string;
  readonly epoch: number;
  readonly moves: { readonly done: number; readonly all: number; readonly now: string };
  /** What let the run begin; absent where the environment asks for no certificate. */
  readonly clearance?: Clearance & { readonly text: string };
  readonly cause?: string;
  readonly withdrawnAt?: string;
  readonly impact?: Impact;
  readonly failures: readonly TallyRow[];
  /** Codes that no class rule names. */
  readonly unlisted: readonly UnlistedCode[];
  readonly undone: readonly Titled[];
  readonly kept: readonly Titled[];
  readonly stranded: readonly Titled[];
  readonly standing: readonly Titled[];
  /** `component/region` → why an undo could not take it back with the others. */
  readonly away: readonly { readonly place: string; readonly why: string }[];
  readonly backup?: string;
  readonly delivered: number;
  readonly undelivered: readonly { readonly at: string; readonly notifier: string; readonly why: string }[];
};

export type Titled = { readonly id: string; readonly title: string };

/** From the first word of the guard that was not `healthy` to the first `healthy` after the last such word. */
export type Impact = {
  readonly firstSaid: string;
  readonly firstSaidAt: string;
  readonly reason: string;
  readonly healthyAgainAt?: string;
  readonly seconds?: number;
  /** User operations that failed from two seconds before it on, as the counters tell, and between when. */
  readonly failed: number;
  readonly failedFrom?: string;
  readonly failedTo?: string;
};

/** Counters are read several times a second; a failure may have been counted this long before the guard spoke. */
const LEAD_MS = 2_000;

export function summarise(run: Run, facts: readonly Fact[]): RunSummary {
  const opened = facts.find((fact): fact is FactOf<"opened"> => fact.kind === "opened");
  const impact = impactOf(facts);
  const titled = (ids: readonly string[]) =>
    ids.map((id) => ({ id, title: run.graph.moves.find((move) => move.id === id)?.title ?? id }));
  const isElsewhere = (id: string) => run.undone.includes(id) || run.kept.includes(id) || run.stranded.includes(id);
  return {
    run: run.id,
    plan: run.graph.plan,
    environment: run.graph.environment,
    class: run.graph.class,
    ...stateOf(run),
    from: utc(facts[0]?.at ?? 0),
    to: utc(facts.at(-1)?.at ?? 0),
    planFingerprint: opened?.planFingerprint ?? "?",
    midflight: opened?.version ?? "?",
    epoch: run.epoch,
    moves: { done: run.next, all: run.graph.moves.length, now: run.graph.moves[run.next]?.title ?? "" },
    ...(run.clearance === undefined ? {} : { clearance: { ...run.clearance, text: clearanceText(run.clearance) } }),
    ...(run.cause === undefined ? {} : { cause: run.cause.text }),
    ...(run.withdrawnAt === undefined ? {} : { withdrawnAt: utc(run.withdrawnAt) }),
    ...(impact === undefined ? {} : { impact }),
    failures: tallies(facts).at(-1)?.failures ?? [],
    unlisted: tallies(facts).at(-1)?.unlisted ?? [],
    undone: titled(run.undone),
    kept: titled(run.kept),
    stranded: titled(run.stranded),
    standing: titled(run.touched.filter((id) => !isElsewhere(id))),
    away: Object.entries(run.away ?? {}).map(([place, { why }]) => ({ place, why })),
    ...(run.backup === undefined ? {} : { backup: run.backup }),
    delivered: facts.filter((fact) => fact.kind === "delivered").length,
    undelivered: facts.flatMap((fact) =>
      fact.kind === "undelivered" ? [{ at: utc(fact.at), notifier: fact.notifier, why: fact.why }] : [],
    ),
  };
}

function stateOf(run: Run): { readonly state: string; readonly text: string } {
  const { phase } = run;
  if (phase.kind === "ended") return { state: phase.outcome, text: phase.text };
  if (phase.kind === "halted" || phase.kind === "holding") return { state: phase.kind, text: phase.why };
  if (phase.kind === "withdrawn") {
    const { regions, why } = phase;
    const text = `new instances are out of traffic in ${regions.join(", ")}${why === undefined ? "" : `, and nothing moves: ${why}`}`;
    return { state: phase.kind, text };
  }
  return { state: phase.kind, text: run.graph.moves[run.next]?.title ?? "looking once more at everything" };
}

const tallies = (facts: readonly Fact[]): readonly FactOf<"tally">[] =>
  facts.filter((fact): fact is FactOf<"tally"> => fact.kind === "tally");

function impactOf(facts: readonly Fact[]): Impact | undefined {
  const verdicts = facts.filter((fact): fact is FactOf<"verdict"> => fact.kind === "verdict");
  const bad = verdicts.filter((fact) => fact.verdict.state !== "healthy");
  const [first] = bad;
  if (first === undefined) return undefined;
  const last = bad.at(-1)?.at ?? first.at;
  const healed = facts.find((fact) => fact.at > last && isHealthy(fact));
  return {
    firstSaid: first.verdict.state,
    firstSaidAt: utc(first.at),
    reason: first.verdict.reason,
    ...(healed === undefined ? {} : { healthyAgainAt: utc(healed.at), seconds: (healed.at - first.at) / 1000 }),
    ...failedSince(facts, first.at - LEAD_MS),
  };
}

/** Said, or shown: evidence is the guard's word too. */
const isHealthy = (fact: Fact): boolean =>
  (fact.kind === "verdict" && fact.verdict.state === "healthy") ||
  (fact.kind === "effect-done" && fact.result.kind === "evidence");

function failedSince(facts: readonly Fact[], since: number): Pick<Impact, "failed" | "failedFrom" | "failedTo"> {
  // A tally may tell of codes that no rule names, and of no failure.
  const all = tallies(facts).filter((fact, index, list) => sum(fact) !== sum(list[index - 1]));
  const before = all.findLast((fact) => fact.at < since);
  const later = all.filter((fact) => fact.at >= since);
  const failed = sum(all.at(-1)) - sum(before);
  const [first] = later;
  const last = later.at(-1);
  return {
    failed,
    ...(first === undefined || last === undefined ? {} : { failedFrom: utc(first.at), failedTo: utc(last.at) }),
  };
}

const sum = (fact: FactOf<"tally"> | undefined): number =>
  fact?.failures.reduce((total, row) => total + row.count, 0) ?? 0;
