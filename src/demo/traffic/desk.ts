import type { TrafficConfig } from "./config.ts";
import { intentOf } from "./intent.ts";
import type { Intent, Market } from "./intent.ts";
import { amended, mayBecome } from "./ledger.ts";
import type { Ledger, LedgerOrder, Values } from "./ledger.ts";
import { judge } from "./outcome.ts";
import type { Judgement, Outcome, Reply } from "./outcome.ts";
import type { Arrival } from "./schedule.ts";
import type { Sender, Sent } from "./send.ts";
import type { StateChecks } from "./state-check.ts";
import type { User } from "./user.ts";
import { hasLanded } from "./verdict.ts";

export type DeskOptions = {
  readonly config: Pick<TrafficConfig, "checkShare">;
  readonly markets: readonly Market[];
  readonly ledger: Ledger;
  readonly sender: Sender;
  readonly checks: StateChecks;
  readonly clOrdIdOf: (index: number) => string;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onLeverage: (isFailed: boolean) => void;
};

/** Carries out one turn of a user: one attempt, one outcome, and what the ledger must know. Never rejects. */
export type Desk = (arrival: Arrival, user: User) => Promise<void>;

type OrderIntent = Exclude<Intent, { kind: "leverage" }>;

export const createDesk = (options: DeskOptions): Desk => {
  const { markets, ledger, sender } = options;
  return async (arrival, user) => {
    const intent = intentOf(arrival, user.habits, ledger, markets);
    if (intent.kind === "leverage") return setLeverage(options, user, intent.lever);
    const order = orderOf(intent, arrival, user, options);
    order.isBusy = true;
    const at = Date.now();
    const since = performance.now();
    const { reply, region } = await sender.operation(user, intent, order, arrival.plant);
    const ms = Math.round((performance.now() - since) * 100) / 100;
    const judgement = judge(reply, arrival.plant);
    if (judgement.class !== "planted") route(user, { reply, region });
    const final = await settle(options, user, intent, order, reply, judgement, arrival);
    options.onOutcome({
      at,
      ms,
      op: intent.kind,
      uid: user.uid,
      cohort: user.cohort,
      region,
      release: releaseOf(reply)?.release ?? "unknown",
      instance: releaseOf(reply)?.instance ?? "unknown",
      protocol: user.habits.protocol,
      class: final.class,
      code: final.code,
      ...(reply.kind === "answer" && reply.http !== undefined ? { http: reply.http } : {}),
    });
  };
};

const orderOf = (intent: OrderIntent, arrival: Arrival, user: User, { ledger, clOrdIdOf }: DeskOptions): LedgerOrder =>
  intent.kind === "order"
    ? ledger.open({
        uid: user.uid,
        clOrdId: clOrdIdOf(arrival.index),
        instId: intent.market.instId,
        side: intent.side,
        rests: intent.ordType !== "ioc",
        values: intent.values,
      })
    : intent.order;

const releaseOf = (reply: Reply): { readonly release: string; readonly instance: string } | undefined => reply.origin;

/** Where the user goes next. A venue that answers late twice in a row is as good as gone. */
const route = (user: User, { reply, region }: Sent): void => {
  user.timeoutsInRow = reply.kind === "timeout" ? user.timeoutsInRow + 1 : 0;
  if (isTurnedAway(reply) || user.timeoutsInRow >= 2) user.route.failed(region, Date.now());
  else if (reply.kind === "answer") user.route.worked(region);
};

const isTurnedAway = (reply: Reply): boolean => {
  if (reply.kind !== "answer") return reply.kind === "refused" || reply.kind === "cut";
  return reply.code === "50001" || reply.http === 503 || (reply.code === undefined && (reply.http ?? 0) >= 500);
};

/** Brings the ledger up to date. An acknowledged amend or cancel has succeeded only when the order's state shows it. */
const settle = async (
  options: DeskOptions,
  user: User,
  intent: OrderIntent,
  order: LedgerOrder,
  reply: Reply,
  judgement: Judgement,
  arrival: Arrival,
): Promise<Judgement> => {
  const isAcknowledged = reply.kind === "answer" && reply.code === "0";
  if (isAcknowledged) {
    acknowledge(intent, order, reply.ordId);
    const isChecked = arrival.draws[1] < options.config.checkShare;
    if (intent.kind === "order" || !isChecked || judgement.class !== "ok") return release(order, judgement);
    // Not awaited by anyone else: the next operations go on meanwhile.
    const check = await options.checks.acknowledged(user, order, intent.kind, order.values);
    return release(
      order,
      check === "shown" ? judgement : { class: "failed", code: `state-${check}`, mayHaveLanded: false },
    );
  }
  if (judgement.mayHaveLanded) void resolve(options, user, intent, order, judgement.class === "planted");
  else if (intent.kind === "order") refuse(order);
  else if (judgement.class === "rejected") void learn(options, user, order);
  else order.isBusy = false;
  return judgement;
};

const acknowledge = (intent: OrderIntent, order: LedgerOrder, ordId: string | undefined): void => {
  switch (intent.kind) {
    case "order":
      order.placed = "acknowledged";
      order.ordId = ordId ?? order.ordId;
      return;
    case "amend":
      // Only one of the two was sent: whatever an unsure amend before it may have made of the other still may be.
      order.values = amended(order.values, intent);
      order.possible.splice(
        0,
        order.possible.length,
        ...order.possible.map((values) => amended(values, intent)),
        ...mayBecome(order.values, order.unsureAmends),
      );
      return;
    case "cancel":
      order.cancel = "acknowledged";
  }
};

const release = (order: LedgerOrder, judgement: Judgement): Judgement => {
  order.isBusy = false;
  return judgement;
};

const refuse = (order: LedgerOrder): void => {
  order.placed = "refused";
  order.isBusy = false;
};

/** After an unsure operation: what became of it? The order stays busy until the venue tells. */
const resolve = async (
  { ledger, checks }: DeskOptions,
  user: User,
  intent: OrderIntent,
  order: LedgerOrder,
  isPlanted: boolean,
): Promise<void> => {
  const values: Values | undefined = intent.kind === "cancel" ? undefined : intent.values;
  const unsure = ledger.unsure({ op: intent.kind, order, values, isPlanted });
  if (intent.kind === "order") order.placed = "unsure";
  else if (intent.kind === "amend") {
    order.possible.push(...[order.values, ...order.possible].map((before) => amended(before, intent)));
    order.unsureAmends.push({ changed: intent.changed, values: intent.values });
  } else order.cancel = "unsure";
  await pause(SETTLING_MS);
  const finding = await checks.lookUp(user, order);
  unsure.landed = hasLanded(unsure, finding);
  if (finding.kind === "found") {
    // What the venue shows is what the user goes on from; an answer that is still on its way may yet change it.
    order.possible.push(order.values);
    order.values = { px: finding.order.px, sz: finding.order.sz };
  }
  // "Not there" is not final for an order that may still be on its way: the last check asks again.
  if (intent.kind === "order" && unsure.landed === false) unsure.landed = undefined;
  order.isBusy = false;
};

/** After a refusal on the merits: does the order still live? */
const learn = async ({ checks }: DeskOptions, user: User, order: LedgerOrder): Promise<void> => {
  const finding = await checks.lookUp(user, order);
  if (finding.kind === "unknown") order.isMissing = true;
  order.isBusy = false;
};

const setLeverage = async ({ sender, markets, onLeverage }: DeskOptions, user: User, lever: string): Promise<void> => {
  const { leverage } = user;
  const instId = markets[0]?.instId;
  // Two at a time could not be told apart afterwards.
  if (leverage.isBusy || instId === undefined) return;
  leverage.isBusy = true;
  const { reply } = await sender.setLeverage(user, instId, lever);
  const judgement = judge(reply, undefined);
  if (judgement.class === "ok") {
    leverage.acknowledged = lever;
    leverage.possible = [];
  } else if (judgement.class !== "rejected") leverage.possible.push(lever);
  onLeverage(judgement.class === "failed" || judgement.class === "ambiguous");
  leverage.isBusy = false;
};

// A request that outlived its deadline is usually done soon after.
const SETTLING_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
