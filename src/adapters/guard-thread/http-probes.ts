import { classify } from "../../guard/classify.ts";
import { OKX_V5 } from "../../guard/rules-okx.ts";
import type { Rules } from "../../guard/rules.ts";
import type { HttpProbe } from "../../plan/model.ts";
import type { ProbeCohort } from "../../ports/watcher.ts";
import { seenIn } from "./http-answer.ts";
import { httpChain, isFillable, pathOf, scopeOf, type HttpChainContext, type RequestLimits } from "./http-chain.ts";
import { httpClient } from "./http-client.ts";
import { prepare } from "./http-request.ts";
import { startLeftovers, type Leftover } from "./leftovers.ts";
import type { ProbeSystem } from "./probe-system.ts";

export type HttpProbesOptions = {
  readonly probe: HttpProbe;
  readonly cohorts: readonly ProbeCohort[];
  readonly rules?: Rules;
  readonly deadlineMs: number;
  readonly newId: () => string;
  /** File for what is left open. */
  readonly left?: string;
};

const RETRY_MS = 500;
const CALL_MS = 1_000;
const SWEEP_MS = 3_000;
/** Taken back at once. */
const TOGETHER = 16;
/** A request that was given up may still arrive: for this long "unknown there" does not mean that nothing was begun. */
const SETTLE_MS = 2_000;

/** Requests of several cohorts at a system that speaks HTTP. */
export const httpProbes = (options: HttpProbesOptions): ProbeSystem => {
  const { probe, cohorts } = options;
  const origin = new URL(probe.url).origin;
  const rules = options.rules ?? OKX_V5;
  const client = httpClient();
  const operations = prepare(probe);
  const undo = operations.find(({ name }) => name === probe.cleanUp);
  const leftovers = startLeftovers(options.left);
  /** Nobody follows them any more; since when. What an earlier run left is long settled. */
  const abandoned = new Map<string, number>(leftovers.all().map(({ id }) => [id, -Infinity]));
  let isRunning = false;

  const context: HttpChainContext = {
    probe,
    operations,
    rules,
    client,
    publicOrigin: origin,
    deadlineMs: options.deadlineMs,
    newId: options.newId,
    limits: requestLimits(probe.mostPerSec),
    opened: (id, cohort, values) => leftovers.note({ id, seat: cohorts.indexOf(cohort), values }),
    closed(id) {
      leftovers.closed(id);
      abandoned.delete(id);
    },
    abandon: (id) => void abandoned.set(id, performance.now()),
  };

  /** Whether nothing of it is open any more, as far as anybody can know. */
  const takeBack = async (leftover: Leftover, since: number): Promise<boolean> => {
    const cohort = cohorts[leftover.seat];
    if (undo === undefined || cohort === undefined) return true;
    const scope = scopeOf(cohort, leftover.values, options.newId());
    // Its undo needs what an answer would have told, and that answer never came.
    if (!isFillable(undo, scope)) return performance.now() - since > SETTLE_MS;
    const made = undo.request(scope);
    const reply = await client.call({ ...made, origin, path: `${pathOf(probe.url)}${made.path}` }, CALL_MS);
    if ("transport" in reply) return false;
    const { outcome, isListed } = classify(seenIn(reply, rules), rules);
    // A refusal that no rule names proves nothing.
    return outcome === "ok" || (outcome === "business" && isListed && performance.now() - since > SETTLE_MS);
  };

  const takeBackOne = async (id: string, since: number): Promise<void> => {
    const leftover = leftovers.find(id);
    if (leftover === undefined || (await takeBack(leftover, since))) return context.closed(id);
    // Whoever cannot be taken back now waits behind the others.
    abandoned.delete(id);
    abandoned.set(id, since);
  };

  const takeBackAll = async (until: number): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    const due = [...abandoned];
    for (let at = 0; at < due.length && performance.now() < until; at += TOGETHER)
      await Promise.all(due.slice(at, at + TOGETHER).map(([id, since]) => takeBackOne(id, since)));
    isRunning = false;
  };
  const timer = setInterval(() => void takeBackAll(performance.now() + RETRY_MS), RETRY_MS);

  const sweep = async (): Promise<void> => {
    for (const until = performance.now() + SWEEP_MS; abandoned.size > 0 && performance.now() < until;) {
      await takeBackAll(until);
      if (abandoned.size > 0) await new Promise((resolve) => setTimeout(resolve, SWEEP_PAUSE_MS));
    }
  };

  return {
    hasSockets: false,
    chains: () => cohorts.map((cohort) => httpChain(cohort, context)),
    clean: sweep,
    start: () => undefined,
    trouble: () => undefined,
    renew: () => client.renew(),
    async stop() {
      clearInterval(timer);
      for (const { id } of leftovers.all()) if (!abandoned.has(id)) context.abandon(id);
      await sweep();
      leftovers.end();
      await client.close();
    },
  };
};

const SWEEP_PAUSE_MS = 50;

/** Requests of a cohort in the last second; without a limit every one is allowed. */
const requestLimits = (mostPerSec: number | undefined): RequestLimits => {
  const used = new Map<ProbeCohort, number[]>();
  const recent = (cohort: ProbeCohort): number[] => {
    const times = (used.get(cohort) ?? []).filter((time) => time > performance.now() - 1_000);
    used.set(cohort, times);
    return times;
  };
  const has = (cohort: ProbeCohort): boolean => mostPerSec === undefined || recent(cohort).length < mostPerSec;
  return {
    has,
    take(cohort) {
      if (mostPerSec === undefined) return true;
      if (!has(cohort)) return false;
      recent(cohort).push(performance.now());
      return true;
    },
  };
};
