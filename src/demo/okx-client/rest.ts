import { Pool } from "undici";
import { fieldsIn } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { signedHeaders } from "./sign.ts";
import type { Credentials } from "./sign.ts";

/** `target` begins with /api/v5 and includes the query string; `body` is sent as it is. */
export type RestRequest = {
  readonly method: "GET" | "POST";
  readonly target: string;
  readonly body?: string;
  /** Absent: a public request. */
  readonly who?: Credentials;
};

export type RestAnswer = {
  readonly http: number;
  /** The parsed body; undefined if it was no JSON object. */
  readonly body: Fields | undefined;
  readonly header: (name: string) => string | undefined;
};

/** Why there is no answer. `refused`: certainly not sent. `cut`: the connection went away under the request. `aborted`: the caller gave up. */
export type RestMiss = { readonly miss: "refused" | "cut" | "aborted"; readonly cause: string };

/** Calls of one venue address over kept-alive connections, as many as are busy at a time: a request never waits behind another. */
export type RestClient = {
  /** Never rejects. */
  call(request: RestRequest, signal: AbortSignal): Promise<RestAnswer | RestMiss>;
  close(): Promise<void>;
};

/** `origin` such as http://127.0.0.1:8101. `simulatedTrading` sends `x-simulated-trading: 1`. */
export const createRestClient = (origin: string, simulatedTrading: boolean): RestClient => {
  // Shorter than what servers usually keep, so that a request seldom meets a connection that is just being closed.
  const pool = new Pool(origin, {
    keepAliveTimeout: 2_000,
    keepAliveMaxTimeout: 4_000,
    connectTimeout: 2_000,
    bodyTimeout: 5_000,
    headersTimeout: 5_000,
  });
  const simulated: Record<string, string> = simulatedTrading ? { "x-simulated-trading": "1" } : {};
  return {
    async call({ method, target, body = "", who }, signal) {
      const signed = who === undefined ? {} : signedHeaders(who, { method, target, body }, Date.now());
      try {
        const response = await pool.request({
          method,
          path: target,
          headers: { ...signed, ...simulated },
          body: body === "" ? null : body,
          signal,
        });
        const text = await response.body.text();
        return { http: response.statusCode, body: fieldsIn(text), header: headerOf(response.headers) };
      } catch (error) {
        return missOf(error, signal);
      }
    },
    close: () => pool.destroy(),
  };
};

const headerOf =
  (headers: Readonly<Record<string, string | string[] | undefined>>) =>
  (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };

const missOf = (error: unknown, signal: AbortSignal): RestMiss => {
  if (signal.aborted) return { miss: "aborted", cause: "gave up" };
  const code = codeOf(error);
  return { miss: NOT_SENT.has(code) ? "refused" : "cut", cause: code };
};

const NOT_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

const codeOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
};
