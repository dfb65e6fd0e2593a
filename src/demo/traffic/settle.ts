import type { Clients } from "./queries.ts";
import { callWithin } from "./queries.ts";
import type { Queries } from "./queries.ts";
import type { Ledger, LedgerOrder, VenueOrder } from "./ledger.ts";
import { nameOf } from "./user.ts";
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

/** Asks the venue for every order of the run, a few users at a time, and cleans up. Never rejects. */
export const settle = async (options: SettleOptions): Promise<Settlement> => {
  const since = performance.now();
  const until = since + options.settleMs;
  const byUid = Map.groupBy(options.ledger.all(), (order) => order.uid);
  const findings = new Map<LedgerOrder, Finding>();
  const lostOrders: LostOrder[] = [];
  const leverageLost: string[] = [];
  let leverageChecked = 0;
  let left = 0;
  await inParallel(options.users, USERS_AT_A_TIME, async (user) => {
    const orders = byUid.get(user.uid) ?? [];
    const live = orders.length === 0 ? [] : await within(until, () => options.queries.pending(user, ASK_MS));
    for (const order of orders) findings.set(order, await find(options, user, order, live, until));
    lostOrders.push(...doubled(user, live ?? [], orders));
    const leverage = await leverageOf(options, user, until);
    if (leverage !== undefined) leverageChecked++;
    if (leverage === false) leverageLost.push(user.uid);
    if (options.cleanUp) left += await cancelAll(options, user, live ?? [], orders);
  });
  const cohorts = new Map(options.users.map((user) => [user.uid, user.cohort]));
  let unchecked = 0;
  for (const [order, finding] of findings) {
    const verdict = verdictOf(order, finding);
    if (verdict.kind === "unchecked") unchecked++;
    if (verdict.kind === "lost") lostOrders.push(lostOrder(order, cohorts.get(order.uid) ?? "", finding, verdict.reason));
  }
  return {
    orders: findings.size,
    unchecked,
    lostOrders,
    ambiguousResolved: resolved(options.ledger, findings),
    leverageChecked,
    leverageLost,
    left,
    ms: Math.round(performance.now() - since),
  };
};

const USERS_AT_A_TIME = 12;
const ASK_MS = 1_000;
const AGAIN_MS = 250;

const find = async (
  { queries }: SettleOptions,
  user: User,
  order: LedgerOrder,
  live: readonly VenueOrder[] | undefined,
  until: number,
): Promise<Finding> => {
  const listed = live?.find((one) => one.clOrdId === order.clOrdId);
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

const doubled = (user: User, live: readonly VenueOrder[], orders: readonly LedgerOrder[]): readonly LostOrder[] => {
  const ours = new Map(orders.map((order) => [order.clOrdId, order]));
  return [...Map.groupBy(live, (one) => one.clOrdId)].flatMap(([clOrdId, copies]) => {
    const order = ours.get(clOrdId);
    if (order === undefined || copies.length < 2) return [];
    return [{ ...lostOrder(order, user.cohort, { kind: "unknown" }, "missing"), reason: "doubled" as const, found: `${copies.length} live copies` }];
  });
};

/** true: it stands; false: it is gone; undefined: not checked. */
const leverageOf = async ({ queries, leverageInstId }: SettleOptions, user: User, until: number): Promise<boolean | undefined> => {
  const { acknowledged, possible } = user.leverage;
  if (acknowledged === undefined) return undefined;
  const found = await within(until, () => queries.leverage(user, leverageInstId, ASK_MS));
  return found === undefined ? undefined : [acknowledged, ...possible].some((value) => Number(value) === Number(found));
};

const cancelAll = async (
  { clients }: SettleOptions,
  user: User,
  live: readonly VenueOrder[],
  orders: readonly LedgerOrder[],
): Promise<number> => {
  const ours = new Map(orders.map((order) => [order.clOrdId, order]));
  let left = 0;
  for (const one of live) {
    const order = ours.get(one.clOrdId);
    if (order === undefined) continue;
    const request = { method: "POST", target: "/api/v5/trade/cancel-order", body: JSON.stringify({ ...nameOf(order), ordId: one.ordId }), who: user.who } as const;
    const answer = await callWithin(clients[user.route.region(Date.now())], request, ASK_MS);
    const isDone = !("miss" in answer) && answer.http === 200;
    if (!isDone) left++;
  }
  return left;
};

const resolved = (ledger: Ledger, findings: ReadonlyMap<LedgerOrder, Finding>): Settlement["ambiguousResolved"] => {
  const count = { landed: 0, notLanded: 0, unknown: 0 };
  for (const unsure of ledger.unsureOnes()) {
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

/** Runs `act` for all items, at most `width` at a time. */
const inParallel = async <T>(items: readonly T[], width: number, act: (item: T) => Promise<void>): Promise<void> => {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
};

