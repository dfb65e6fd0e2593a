import { createHmac } from "node:crypto";
import { Agent } from "undici";
import type { Transport } from "../../guard/rules.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";

/** `target` is path and query, sent and signed as it is. */
export type VenueRequest = {
  readonly method: "GET" | "POST";
  readonly target: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly account?: ProbeAccount;
  /** The venue does not process the request later than this (ms since the epoch). */
  readonly expiresAt?: number;
};

/** An answer as far as it was understood. `code`: the row's result, else the envelope's; absent when the body is no such JSON. */
export type VenueAnswer = {
  readonly http: number;
  readonly code?: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Who says that it served the request. */
  readonly release?: string;
  readonly instance?: string;
  /** Whether it asks for the connection to be closed. Absent where the protocol has another way to say so. */
  readonly isClosing?: boolean;
};

export type VenueReply = VenueAnswer | { readonly transport: Transport };

/** Speaks OKX V5 to any address over kept-alive connections, one request on each at a time. */
export type OkxVenue = {
  /** Never rejects. After `deadlineMs` the reply is a timeout, and the connection is given up. */
  call(origin: string, request: VenueRequest, deadlineMs: number): Promise<VenueReply>;
  close(): Promise<void>;
};

export const okxVenue = (isSimulated: boolean): OkxVenue => {
  // Shorter than what servers keep: a request seldom meets a connection that is just being closed.
  const agent = new Agent({
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 2_000,
    keepAliveMaxTimeout: 3_000,
    connect: { timeout: 1_000 },
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
  });
  return {
    async call(origin, request, deadlineMs) {
      const body = request.body === undefined ? "" : JSON.stringify(request.body);
      const gaveUp = new AbortController();
      const timer = setTimeout(() => gaveUp.abort(), deadlineMs);
      try {
        const headers = {
          ...(isSimulated ? { "x-simulated-trading": "1" } : {}),
          ...(request.expiresAt === undefined ? {} : { exptime: String(request.expiresAt) }),
          ...signatureOf(request, body),
        };
        const response = await agent.request({
          origin,
          path: request.target,
          method: request.method,
          headers,
          body: body === "" ? null : body,
          signal: gaveUp.signal,
        });
        return answerOf(response.statusCode, response.headers, await response.body.text());
      } catch (error) {
        return { transport: gaveUp.signal.aborted ? "timeout" : transportOf(error) };
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => agent.destroy(),
  };
};

const signatureOf = ({ account, method, target }: VenueRequest, body: string): Readonly<Record<string, string>> => {
  const json = body === "" ? {} : { "content-type": "application/json" };
  if (account === undefined) return json;
  const timestamp = new Date().toISOString();
  const sign = createHmac("sha256", account.secret).update(`${timestamp}${method}${target}${body}`).digest("base64");
  return {
    ...json,
    "ok-access-key": account.apiKey,
    "ok-access-passphrase": account.passphrase,
    "ok-access-timestamp": timestamp,
    "ok-access-sign": sign,
  };
};

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const answerOf = (http: number, headers: Headers, text: string): VenueAnswer => {
  const [release, instance] = [headers["x-venue-release"], headers["x-venue-instance"]];
  const served = {
    isClosing: headers["connection"] === "close",
    ...(typeof release === "string" ? { release } : {}),
    ...(typeof instance === "string" ? { instance } : {}),
  };
  const body = parsed(text);
  if (typeof body?.["code"] !== "string") return { http, rows: [], ...served };
  const rows = Array.isArray(body["data"]) ? body["data"].filter(isRecord) : [];
  const sCode = rows[0]?.["sCode"];
  return { http, rows, code: typeof sCode === "string" ? sCode : body["code"], ...served };
};

/** JSON that is an object. */
export const parsed = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const transportOf = (error: unknown): Transport => (NOT_SENT.has(codeOf(error)) ? "refused" : "cut");
const NOT_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

const codeOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
};
