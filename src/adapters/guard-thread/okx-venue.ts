import { createHmac } from "node:crypto";
import type { Transport } from "../../guard/rules.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import { headerIn, httpClient, type HttpHeaders } from "./http-client.ts";

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
  /** The body is no JSON and not empty. */
  readonly isPage?: boolean;
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
  /** See `HttpClient`. */
  renew(): void;
  close(): Promise<void>;
};

export const okxVenue = (isSimulated: boolean): OkxVenue => {
  const client = httpClient();
  return {
    async call(origin, request, deadlineMs) {
      const { method, target: path } = request;
      const body = request.body === undefined ? "" : JSON.stringify(request.body);
      const headers = {
        ...(isSimulated ? { "x-simulated-trading": "1" } : {}),
        ...(request.expiresAt === undefined ? {} : { exptime: String(request.expiresAt) }),
        ...signatureOf(request, body),
      };
      const reply = await client.call({ origin, path, method, headers, ...(body === "" ? {} : { body }) }, deadlineMs);
      return "transport" in reply ? reply : answerOf(reply.http, reply.headers, reply.text);
    },
    renew: () => client.renew(),
    close: () => client.close(),
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

const answerOf = (http: number, headers: HttpHeaders, text: string): VenueAnswer => {
  const [release, instance] = [headerIn(headers, "x-venue-release"), headerIn(headers, "x-venue-instance")];
  const served = {
    isClosing: headers["connection"] === "close",
    ...(release === undefined ? {} : { release }),
    ...(instance === undefined ? {} : { instance }),
  };
  const body = parsed(text);
  if (typeof body?.["code"] !== "string")
    return { http, rows: [], ...served, isPage: body === undefined && text.trim() !== "" };
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
