import { httpOf, msgOf } from "./codes.ts";

/** The result of one order operation as its row tells it. `sCode` decides, never the envelope. */
export type Row = {
  readonly ordId: string;
  readonly clOrdId: string;
  readonly tag: string;
  readonly ts: string;
  readonly sCode: string;
  readonly sMsg: string;
  readonly subCode?: string;
  readonly reqId?: string;
};

/** What goes over the wire as REST answer. */
export type Answer = { readonly http: number; readonly body: Envelope };

export type Envelope = {
  readonly code: string;
  readonly msg: string;
  readonly data: readonly unknown[];
  /** Microseconds since the epoch, order operations only. */
  readonly inTime?: string;
  readonly outTime?: string;
};

export const ok = (data: readonly unknown[]): Answer => ({ http: 200, body: { code: "0", msg: "", data } });

/** A refusal of the whole request. */
export const refused = (code: string, ...parts: readonly string[]): Answer => ({
  http: httpOf(code),
  body: { code, msg: msgOf(code, ...parts), data: [] },
});

/** Not found in the venue: no such path. */
export const notFound = (): Answer => ({ http: 404, body: { code: "404", msg: "Not Found", data: [] } });

/** A REST answer to order operations. */
export const restRows = (rows: readonly Row[], inTime: string, outTime: string): Answer => {
  const whole = refusedWhole(rows);
  if (whole !== undefined) return refused(whole);
  const code = envelopeCode(rows);
  const msg = code === "1" ? "All operations failed" : code === "2" ? "Bulk operation partially succeeded" : "";
  return { http: httpOfRows(rows), body: { code, msg, data: rows, inTime, outTime } };
};

/** The WebSocket answer to order operations. Its `msg` stays empty on failure, or clients would not look at the rows. */
export const socketRows = (rows: readonly Row[], inTime: string, outTime: string): Envelope => {
  const whole = refusedWhole(rows);
  return { code: whole ?? envelopeCode(rows), msg: "", data: whole === undefined ? rows : [], inTime, outTime };
};

/** "0" all succeeded, "1" none, "2" some. */
const envelopeCode = (rows: readonly Row[]): "0" | "1" | "2" => {
  const failed = rows.filter((row) => row.sCode !== "0").length;
  if (failed === 0) return "0";
  return failed === rows.length ? "1" : "2";
};

// These codes speak about the request, not about an order, when they hit every row: nothing of it was accepted.
const refusedWhole = (rows: readonly Row[]): string | undefined =>
  ["50001", "50011"].find((code) => rows.length > 0 && rows.every((row) => row.sCode === code));

// A batch that succeeded in part is a success of the transport: only the rows tell what failed.
const httpOfRows = (rows: readonly Row[]): number =>
  rows.some((row) => row.sCode === "0")
    ? 200
    : Math.max(200, ...rows.map((row) => (httpOf(row.sCode) >= 500 ? httpOf(row.sCode) : 200)));

/** Now, in microseconds since the epoch. */
export const micros = (): string => Math.round((performance.timeOrigin + performance.now()) * 1_000).toString();
