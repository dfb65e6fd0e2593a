import { classify } from "../../guard/classify.ts";
import type { OutcomeClass, Rules } from "../../guard/rules.ts";
import type { HttpProbe } from "../../plan/model.ts";
import type { ProbeCohort } from "../../ports/watcher.ts";
import { plainIn, seenIn } from "./http-answer.ts";
import { headerIn, type HttpClient, type HttpReply } from "./http-client.ts";
import type { MadeRequest, PreparedOperation, Scope } from "./http-request.ts";
import type { ProbeChain } from "./probe-chain.ts";
import { lostIfUnknown, outcomeFrom, type ProbeOutcome, type Served } from "./probe-outcome.ts";

export type HttpChainContext = {
  readonly probe: HttpProbe;
  readonly operations: readonly PreparedOperation[];
  readonly rules: Rules;
  readonly client: HttpClient;
  /** The region's public address: who is asked what became of an operation when the instance itself does not say. */
  readonly publicOrigin: string;
  readonly deadlineMs: number;
  readonly newId: () => string;
  readonly limits: RequestLimits;
  /** From now on something may be open that only an undo closes; `values` are what the undo is told. */
  readonly opened: (id: string, cohort: ProbeCohort, values: Scope) => void;
  readonly closed: (id: string) => void;
  /** What may be open is not followed any more. */
  readonly abandon: (id: string) => void;
};

/** Keeps the requests of a cohort below what its system allows. */
export type RequestLimits = {
  has(cohort: ProbeCohort): boolean;
  take(cohort: ProbeCohort): boolean;
};

/** Where the chain stands. `open`: the id under which something may be open. */
type Round = { readonly at: number; readonly values: Scope; readonly open?: string };
const FIRST: Round = { at: 0, values: {} };

/** The operations of a probe for one cohort, one after the other and again from the first. */
export const httpChain = (cohort: ProbeCohort, context: HttpChainContext): ProbeChain => {
  const { probe, operations, rules, client, limits, deadlineMs } = context;
  let round: Round = FIRST;
  let isBusy = false;
  const current = (): PreparedOperation | undefined => operations[round.at];

  const send = (origin: string, made: MadeRequest, ms: number): Promise<HttpReply> =>
    client.call({ ...made, origin, path: `${pathOf(probe.url)}${made.path}` }, ms);

  const step = async (origin: string, operation: PreparedOperation): Promise<ProbeOutcome> => {
    const id = context.newId();
    const before = begun(operation, id);
    const scope = scopeOf(cohort, before.values, id);
    limits.take(cohort);
    const reply = await send(origin, operation.request(scope), deadlineMs);
    const seen = seenIn(reply, rules);
    const classified = classify(seen, rules);
    const code = codeOf(seen, cohort);
    const served = servedBy(reply, probe);
    const judged = outcomeFrom({
      operation: operation.name,
      code,
      classified,
      rules,
      isReached: isReached(reply, "code" in seen && seen.code !== undefined, origin !== context.publicOrigin, served),
      served,
    });
    const kept = keptBy(operation, reply);
    const answered = round.at === 0 ? judged : lostIfUnknown(judged, code, rules);
    const told = answered.kind === "ok" ? withKept(answered, kept) : answered;
    const values = { ...before.values, ...kept.values };
    const outcome = told.kind === "ok" ? await shown(origin, operation, scopeOf(cohort, values, id), told) : told;
    advance({ ...before, values }, operation, outcome, isRefused(classified.outcome, reply));
    return outcome;
  };

  /** Before the first request leaves, what it may open is noted. */
  const begun = (operation: PreparedOperation, id: string): Round => {
    const values = { ...round.values, [`${operation.name}.id`]: id };
    if (round.at > 0 || probe.cleanUp === undefined) return { ...round, values };
    context.opened(id, cohort, values);
    return { at: 0, values, open: id };
  };

  /** An acknowledgement says that a request was taken in. Only what it should have changed says that it was executed. */
  const shown = async (
    origin: string,
    { shown: proof }: PreparedOperation,
    scope: Scope,
    acknowledged: ProbeOutcome,
  ): Promise<ProbeOutcome> => {
    if (proof === undefined) return acknowledged;
    const until = performance.now() + deadlineMs;
    const wanted = proof.is(scope);
    let attempts = 0;
    for (let left = deadlineMs; left > 0; left = until - performance.now()) {
      if (!limits.take(cohort)) {
        await pause();
        continue;
      }
      // The instance itself may be leaving; what it did is in the system all the same.
      const reply = await send(
        attempts === 0 ? origin : context.publicOrigin,
        proof.request(scope),
        attempts === 0 ? left / 2 : left,
      );
      if (String(plainIn(reply, proof.at)) === wanted) return acknowledged;
      if (attempts > 0) await pause();
      attempts++;
    }
    return attempts > 0
      ? { ...acknowledged, kind: "failed", code: "not shown", isReached: true }
      : {
          ...acknowledged,
          kind: "none",
          isRefused: false,
          why: "the probe's own limit leaves no request to see what became of an operation",
        };
  };

  const advance = (done: Round, operation: PreparedOperation, outcome: ProbeOutcome, refused: boolean): void => {
    const { at, open, values } = done;
    // Refused for certain: nothing was begun. Taken back: nothing is left.
    const isClosed = outcome.kind === "ok" ? operation.name === probe.cleanUp : at === 0 && refused;
    if (open !== undefined) {
      if (isClosed) context.closed(open);
      else context.opened(open, cohort, values);
    }
    const next = operations[at + 1];
    const scope = scopeOf(cohort, values, "");
    const isAble = next !== undefined && isFillable(next, scope) && isProvable(next, scope);
    if (isAble && (at > 0 || outcome.kind === "ok")) {
      round = { at: at + 1, values, ...(open === undefined || isClosed ? {} : { open }) };
      return;
    }
    if (open !== undefined && !isClosed) context.abandon(open);
    round = FIRST;
  };

  return {
    account: cohort,
    isBusy: () => isBusy,
    isOpen: () => isBusy || round.at > 0,
    next: () => (limits.has(cohort) ? current()?.name : undefined),
    async step(origin) {
      const operation = current() ?? operations[0];
      if (operation === undefined)
        return { operation: "", kind: "none", isRefused: false, why: "the probe tries no operation" };
      isBusy = true;
      try {
        return await step(origin, operation);
      } finally {
        isBusy = false;
      }
    },
    forget() {
      if (round.open !== undefined) context.abandon(round.open);
      round = FIRST;
    },
  };
};

const PAUSE_MS = 20;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** What every placeholder stands for in one request. */
export const scopeOf = ({ cohort, values }: ProbeCohort, made: Scope, id: string): Scope => {
  const now = new Date();
  return { ...values, ...made, cohort, id, now: now.toISOString(), nowMs: now.getTime() };
};

/** Whether every placeholder of a request has a value. */
export const isFillable = ({ needs }: PreparedOperation, scope: Scope): boolean =>
  needs.every((name) => Object.hasOwn(scope, name));

/** Whether it can be seen afterwards what became of it. */
const isProvable = ({ proofNeeds }: PreparedOperation, scope: Scope): boolean =>
  proofNeeds.every((name) => Object.hasOwn(scope, name));

/** Path of the probe's address, before those of its operations. */
export const pathOf = (url: string): string => new URL(url).pathname.replace(/\/$/, "");

type Kept = { readonly values: Scope; readonly lacks?: string };

const keptBy = ({ keep }: PreparedOperation, reply: HttpReply): Kept => {
  const found = keep.map(({ name, path, text }) => ({ name, text, value: plainIn(reply, path) }));
  const lacking = found.find(({ value }) => value === undefined);
  return {
    values: Object.fromEntries(
      found.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
    ),
    ...(lacking === undefined ? {} : { lacks: lacking.text }),
  };
};

/** It says ok, and lacks what the user would go on with. */
const withKept = (outcome: ProbeOutcome, { lacks }: Kept): ProbeOutcome =>
  lacks === undefined ? outcome : { ...outcome, kind: "failed", code: `no ${lacks}`, isReached: true };

/** Whether the first operation certainly began nothing. */
const isRefused = (outcome: OutcomeClass, reply: HttpReply): boolean =>
  "transport" in reply
    ? reply.transport === "refused"
    : outcome !== "ok" && outcome !== "service" && outcome !== "ambiguous";

const servedBy = (reply: HttpReply, { releaseHeader, instanceHeader }: HttpProbe): Served => {
  if ("transport" in reply) return {};
  const release = headerIn(reply.headers, releaseHeader);
  const instance = headerIn(reply.headers, instanceHeader);
  return {
    isClosing: reply.headers["connection"] === "close",
    ...(release === undefined ? {} : { release }),
    ...(instance === undefined ? {} : { instance }),
  };
};

/** At an instance's own address whoever answers is that instance; elsewhere something in front may have answered. */
const isReached = (reply: HttpReply, hasCode: boolean, isDirect: boolean, served: Served): boolean =>
  !("transport" in reply) && (isDirect || hasCode || served.instance !== undefined);

/** What an answer brought is told and kept: it must be short, and hold nothing that was secret in the request. */
const codeOf = (seen: ReturnType<typeof seenIn>, { values }: ProbeCohort): string => {
  if ("transport" in seen) return seen.transport;
  const code = seen.code ?? `HTTP ${seen.http}`;
  return Object.values(values)
    .filter((value) => value.length >= SHORTEST_SECRET)
    .reduce((clean, value) => clean.replaceAll(value, "(redacted)"), code)
    .slice(0, LONGEST_CODE);
};

const SHORTEST_SECRET = 6;
const LONGEST_CODE = 64;
