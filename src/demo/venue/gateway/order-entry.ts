import type { Account } from "../accounts.ts";
import { msgOf } from "./codes.ts";
import type { Row } from "./envelope.ts";
import type { Fields } from "../fields.ts";
import { textOf } from "../fields.ts";
import type { LastPrices } from "./last-prices.ts";
import { BATCH, SINGLE } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { codeOfAbsent } from "./metadata.ts";
import type { Instruments, Metadata } from "./metadata.ts";
import type { Metrics, Protocol } from "./metrics.ts";
import { outcomeOf } from "./operations.ts";
import type { OperationKind, Operations, Outcome } from "./operations.ts";
import { checkAmend, checkCancel, checkPlace, instrumentOf } from "./order-request.ts";
import type { Against } from "./order-request.ts";
import { checkBand } from "./price-check.ts";

/** Order operations of one user that arrived together, over REST or WebSocket. */
export type Entry = {
  readonly kind: OperationKind;
  readonly account: Account;
  /** One to twenty. */
  readonly rows: readonly Fields[];
  readonly protocol: Protocol;
  /** ms since the epoch, from the `expTime` header or field. */
  readonly expTime?: number;
  /** `performance.now()` at arrival. */
  readonly since: number;
};

export type EntryParts = {
  readonly metadata: Metadata;
  readonly operations: Operations;
  readonly lastPrices: LastPrices;
  readonly limits: Limits;
  readonly metrics: Metrics;
  /** ms since the epoch. */
  readonly now: () => number;
};

/** Takes operations in and gives each its row, in the order they came. Never rejects. */
export const enterOrders = async (entry: Entry, parts: EntryParts): Promise<readonly Row[]> => {
  const outcomes = await outcomesOf(entry, parts);
  const seconds = (performance.now() - entry.since) / 1_000;
  const ts = String(parts.now());
  return outcomes.map((outcome, index) => {
    parts.metrics.count(entry.kind, outcome.code, entry.account.cohort, entry.protocol, seconds);
    return rowOf(outcome, entry.rows[index] ?? {}, entry.kind, ts);
  });
};

const outcomesOf = async (entry: Entry, parts: EntryParts): Promise<readonly Outcome[]> => {
  const all = (code: string): readonly Outcome[] => entry.rows.map((fields) => outcomeOf(code, namesOf(fields)));
  if (entry.expTime !== undefined && entry.expTime < parts.now()) return all("50036");
  const instruments = await parts.metadata.instruments();
  if (instruments.kind !== "found") return all(codeOfAbsent(instruments));
  if (!withinLimits(entry, instruments.value, parts.limits)) return all("50011");
  const account = await parts.metadata.account(entry.account.uid);
  if (account.kind !== "found") return all(codeOfAbsent(account));
  if (account.value.status !== "normal") return all("50007");
  const against = {
    uid: entry.account.uid,
    instruments: instruments.value,
    lastPx: (instId: string) => parts.lastPrices.of(instId),
    ...(entry.expTime !== undefined && { expTime: entry.expTime }),
  };
  return Promise.all(entry.rows.map((fields) => performRow(entry.kind, fields, against, parts.operations)));
};

const performRow = async (
  kind: OperationKind,
  fields: Fields,
  against: Against,
  operations: Operations,
): Promise<Outcome> => {
  switch (kind) {
    case "order": {
      const order = await checkPlace(fields, against);
      if (order.kind === "refused") return outcomeOf(order.code, namesOf(fields), order.msg);
      const { instId, px } = order.value;
      const outside = px === "" ? undefined : checkBand(px, await against.lastPx(instId), order.instrument);
      return outside === undefined
        ? operations.place(order.value)
        : outcomeOf(outside.code, namesOf(fields), outside.msg);
    }
    case "amend": {
      const change = checkAmend(fields, against);
      if (change.kind === "refused") return outcomeOf(change.code, namesOf(fields), change.msg);
      const { instId, newPx } = change.value;
      const outside =
        newPx === undefined ? undefined : checkBand(newPx, await against.lastPx(instId), change.instrument);
      return outside === undefined
        ? operations.amend(change.value)
        : outcomeOf(outside.code, namesOf(fields), outside.msg);
    }
    case "cancel": {
      const order = checkCancel(fields, against);
      return order.kind === "refused"
        ? outcomeOf(order.code, namesOf(fields), order.msg)
        : operations.cancel(order.value);
    }
  }
};

// A batch of one has the limit of a single operation; place, amend and cancel are counted apart.
const withinLimits = (entry: Entry, instruments: Instruments, limits: Limits): boolean => {
  const { uid } = entry.account;
  if (entry.rows.length > 1) return limits.take(`${uid} ${entry.kind} batch`, BATCH, entry.rows.length);
  const instrument = instrumentOf(entry.rows[0] ?? {}, instruments)?.instId ?? "unknown";
  return limits.take(`${uid} ${entry.kind} ${instrument}`, SINGLE, 1);
};

const namesOf = (fields: Fields): { readonly ordId: string; readonly clOrdId: string } => ({
  ordId: textOf(fields, "ordId"),
  clOrdId: textOf(fields, "clOrdId"),
});

const rowOf = (outcome: Outcome, fields: Fields, kind: OperationKind, ts: string): Row => ({
  ordId: outcome.ordId,
  clOrdId: outcome.clOrdId,
  tag: textOf(fields, "tag"),
  ts,
  sCode: outcome.code,
  sMsg: outcome.msg === "" ? msgOf(outcome.code) : outcome.msg,
  ...(kind !== "cancel" && { subCode: "" }),
  ...(kind === "amend" && { reqId: textOf(fields, "reqId") }),
});
