import { otherRegion } from "./config.ts";
import { REST_PATHS } from "./order-body.ts";
import { callWithin } from "./queries.ts";
import type { Clients, Queries } from "./queries.ts";
import type { Ledger, LedgerOrder, VenueOrder } from "./ledger.ts";
import type { User } from "./user.ts";
import { hasLanded, verdictOf } from "./verdict.ts";
import type { Finding, LostReason } from "./verdict.ts";

/** An order whose state at the end is not what was acknowledged. */
export type LostOrder = {
  readonly uid: string;
  readonly cohort: string;
  readonly clOrdId: string;
  readonly ordId: string;
  readonly instId: string;
  readonly reason: LostReason | "doubled";
  /** What was acknowledged and what the venue shows, for a report. */
  readonly expected: string;
  readonly found: string;
};

/** The last comparison of what was acknowledged with what the venue has. */
export type Settlement = {
  readonly orders: number;
  /** Orders for which the venue gave no answer in time: nothing is proved about them. */
  readonly unchecked: number;
  readonly lostOrders: readonly LostOrder[];
  /** What asking brought for the operations whose effect was unknown: ambiguous ones, and failures such as 50026. Without planted ones. */
  readonly ambiguousResolved: { readonly landed: number; readonly notLanded: number; readonly unknown: number };
  readonly leverageChecked: number;
  /** uids whose last acknowledged leverage is gone. */
  readonly leverageLost: readonly string[];
  /** Resting orders that the clean-up could not cancel. */
  readonly left: number;
  readonly ms: number;
};

export type SettleOptions = {
  readonly ledger: Ledger;
  readonly users: readonly User[];
  readonly queries: Queries;
  readonly clients: Clients;
  readonly leverageInstId: string;
  readonly settleMs: number;
  readonly cleanUp: boolean;
};

/** Asks the venue for every order of the run, some at a time, and cleans up. Never rejects. */
export const settle = async (options: SettleOptions): Promise<Settlement> => {
  const since = performance.now();
  const until = since + options.settleMs;
  const { ledger, queries, users, cleanUp } = options;
  const userOf = new Map(users.map((user) => [user.uid, user]));
  const live = new Map<string, readonly VenueOrder[]>();
  await inParallel(users, async (user) => {
    const listed = await within(until, () => queries.pending(user, ASK_MS));
    if (listed !== undefined) live.set(user.uid, listed);
  });
  const findings = new Map<LedgerOrder, Finding>();
  // In the order of their placing, which spreads the questions over the users: each has a limit of his own.
  await inParallel(ledger.all(), async (order) => {
    const user = userOf.get(order.uid);
    if (user !== undefined) findings.set(order, await find(queries, user, order, live.get(order.uid) ?? [], until));
  });
  const leverage = await settleLeverage(options, until);
  const byClOrdId = new Map(ledger.all().map((order) => [order.clOrdId, order]));
  return {
    orders: findings.size,
    unchecked: [...findings].filter(([order, finding]) => verdictOf(order, finding).kind === "unchecked").length,
    lostOrders: [
      ...lost(findings, userOf),
      ...users.flatMap((user) => doubled(user, live.get(user.uid) ?? [], byClOrdId)),
    ],
    ambiguousResolved: resolved(ledger, findings),
    ...leverage,
    left: cleanUp ? await cancelAll(options, live, byClOrdId) : 0,
    ms: Math.round(performance.now() - since),
  };
};

const AT_A_TIME = 12;
const ASK_MS = 1_000;
const AGAIN_MS = 250;

const find = async (
  queries: Queries,
  user: User,
  order: LedgerOrder,
  live: readonly VenueOrder[],
  until: number,
): Promise<Finding> => {
  const listed = live.find((one) => one.clOrdId === order.clOrdId);
  if (listed !== undefined) return { kind: "found", order: listed };
  // Refused, and not live: that is all there is to know.
  if (order.placed === "refused") return { kind: "unknown" };
  const finding = await within(until, async () => {
    const answer = await queries.order(user, order, ASK_MS);
    return answer.kind === "no-answer" ? undefined : answer;
  });
  return finding ?? { kind: "no-answer" };
};

/** Repeats a question until it is answered or time is up. */
const within = async <T>(until: number, ask: () => Promise<T | undefined>): Promise<T | undefined> => {
  while (performance.now() < until) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
  return undefined;
};

const lost = (findings: ReadonlyMap<LedgerOrder, Finding>, userOf: ReadonlyMap<string, User>): readonly LostOrder[] =>
  [...findings].flatMap(([order, finding]) => {
    const verdict = verdictOf(order, finding);
    return verdict.kind === "lost"
      ? [lostOrder(order, userOf.get(order.uid)?.cohort ?? "", finding, verdict.reason)]
      : [];
  });

const doubled = (
  user: User,
  live: readonly VenueOrder[],
  byClOrdId: ReadonlyMap<string, LedgerOrder>,
): readonly LostOrder[] =>
  [...Map.groupBy(live, (one) => one.clOrdId)].flatMap(([clOrdId, copies]) => {
    const order = byClOrdId.get(clOrdId);
    if (order === undefined || copies.length < 2) return [];
    return [
      {
        ...lostOrder(order, user.cohort, { kind: "unknown" }, "missing"),
        reason: "doubled" as const,
        found: `${copies.length} live copies`,
      },
    ];
  });

const settleLeverage = async (
  { users, queries, leverageInstId }: SettleOptions,
  until: number,
): Promise<Pick<Settlement, "leverageChecked" | "leverageLost">> => {
  const leverageLost: string[] = [];
  let leverageChecked = 0;
  await inParallel(users, async (user) => {
    const { acknowledged, possible } = user.leverage;
    if (acknowledged === undefined) return;
    const found = await within(until, () => queries.leverage(user, leverageInstId, ASK_MS));
    if (found === undefined) return;
    leverageChecked++;
    if (![acknowledged, ...possible].some((value) => Number(value) === Number(found))) leverageLost.push(user.uid);
  });
  return { leverageChecked, leverageLost };
};

/** Cancels what the run left in the book. Resolves with how many orders it could not cancel. */
const cancelAll = async (
  { clients, users }: SettleOptions,
  live: ReadonlyMap<string, readonly VenueOrder[]>,
  byClOrdId: ReadonlyMap<string, LedgerOrder>,
): Promise<number> => {
  let left = 0;
  await inParallel(users, async (user) => {
    for (const { clOrdId, instId, ordId } of live.get(user.uid) ?? []) {
      if (!byClOrdId.has(clOrdId)) continue;
      if (!(await cancel(clients, user, JSON.stringify({ instId, ordId })))) left++;
    }
  });
  return left;
};

const cancel = async (clients: Clients, user: User, body: string): Promise<boolean> => {
  const first = user.route.region(Date.now());
  for (const region of [first, otherRegion(first)]) {
    const answer = await callWithin(
      clients[region],
      { method: "POST", target: REST_PATHS.cancel, body, who: user.who },
      ASK_MS,
    );
    // Refused on its merits: it is gone.
    if (!("miss" in answer) && answer.http === 200) return true;
  }
  return false;
};

const resolved = (ledger: Ledger, findings: ReadonlyMap<LedgerOrder, Finding>): Settlement["ambiguousResolved"] => {
  const count = { landed: 0, notLanded: 0, unknown: 0 };
  for (const unsure of ledger.unsureOnes()) {
    if (unsure.isPlanted) continue;
    // Later operations may have hidden the effect, so the first definite word counts.
    const landed = unsure.landed ?? hasLanded(unsure, findings.get(unsure.order) ?? { kind: "no-answer" });
    count[landed === undefined ? "unknown" : landed ? "landed" : "notLanded"]++;
  }
  return count;
};

const lostOrder = (order: LedgerOrder, cohort: string, finding: Finding, reason: LostReason): LostOrder => ({
  uid: order.uid,
  cohort,
  clOrdId: order.clOrdId,
  ordId: order.ordId,
  instId: order.instId,
  reason,
  expected: order.cancel === "acknowledged" ? "canceled" : `${order.values.sz} at ${order.values.px}`,
  found: finding.kind === "found" ? `${finding.order.state}, ${finding.order.sz} at ${finding.order.px}` : finding.kind,
});

/** Runs `act` for all items, some at a time. */
const inParallel = async <T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> => {
  const coming = items.values();
  const worker = async (): Promise<void> => {
    for (const item of coming) await act(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
};
