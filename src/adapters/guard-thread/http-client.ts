import { Agent } from "undici";
import type { Transport } from "../../guard/rules.ts";

export type HttpCall = {
  readonly origin: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** Header names are in small letters; of a header that came twice the values stand in a list. */
export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;
export type HttpReply =
  | { readonly http: number; readonly headers: HttpHeaders; readonly text: string }
  | { readonly transport: Transport };

/** Calls any address over kept-alive connections, one request on each at a time. Follows no redirect. */
export type HttpClient = {
  /** Never rejects. After `deadlineMs` the reply is a timeout, and the connection is given up. */
  call(request: HttpCall, deadlineMs: number): Promise<HttpReply>;
  /** From now on every call goes over a connection of its own time: one that stands may go on to whoever answered it before. */
  renew(): void;
  close(): Promise<void>;
};

/** An answer that goes on and on is cut off. */
const MOST_BYTES = 4_000_000;

export const httpClient = (): HttpClient => {
  // Shorter than what servers keep: a request seldom meets a connection that is just being closed.
  const connect = (): Agent =>
    new Agent({
      connections: 64,
      pipelining: 1,
      keepAliveTimeout: 2_000,
      keepAliveMaxTimeout: 3_000,
      connect: { timeout: 1_000 },
      headersTimeout: 10_000,
      bodyTimeout: 10_000,
      maxResponseSize: MOST_BYTES,
    });
  let agent = connect();
  return {
    async call({ origin, path, method, headers, body }, deadlineMs) {
      const gaveUp = new AbortController();
      const timer = setTimeout(() => gaveUp.abort(), deadlineMs);
      try {
        const response = await agent.request({
          origin,
          path,
          method,
          headers,
          body: body ?? null,
          signal: gaveUp.signal,
        });
        return { http: response.statusCode, headers: response.headers, text: await response.body.text() };
      } catch (error) {
        return { transport: gaveUp.signal.aborted ? "timeout" : transportOf(error) };
      } finally {
        clearTimeout(timer);
      }
    },
    renew() {
      const before = agent;
      agent = connect();
      // Its calls under way end by their own deadlines.
      void before.close();
    },
    close: () => agent.destroy(),
  };
};

/** Value of a header that came once. */
export const headerIn = (headers: HttpHeaders, name: string | undefined): string | undefined => {
  const value = name === undefined ? undefined : headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};

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
