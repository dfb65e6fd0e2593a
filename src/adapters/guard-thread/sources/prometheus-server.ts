import { Agent } from "undici";
import { brief } from "./brief.ts";
import type { Answered } from "./prometheus-answer.ts";

/** Answers queries as they are: no redirect is followed, and nothing is tried twice. */
export type PrometheusServer = {
  /** Host and port, for sentences: never a password. */
  readonly name: string;
  /** What it answers, or why it does not. Never rejects. */
  ask(query: string): Promise<Answered | string>;
  close(): Promise<void>;
};

export type ServerOptions = { readonly url: string; readonly token?: string; readonly deadlineMs: number };

/** Twenty thousand series with a few samples each. A longer answer would hold up the judging. */
const MOST_BYTES = 16_000_000;

export const prometheusServer = ({ url, token, deadlineMs }: ServerOptions): PrometheusServer => {
  const base = new URL(url);
  const path = `${base.pathname.replace(/\/+$/, "")}/api/v1/query`;
  const authorization = credentialsOf(base, token);
  const headers = { accept: "application/json", ...(authorization === undefined ? {} : { authorization }) };
  const agent = new Agent({
    connections: 2,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    connect: { timeout: deadlineMs },
    headersTimeout: deadlineMs + 1_000,
    bodyTimeout: deadlineMs + 1_000,
  });
  return {
    name: base.host,
    async ask(query) {
      const gaveUp = new AbortController();
      const timer = setTimeout(() => gaveUp.abort(), deadlineMs);
      try {
        const { statusCode, body } = await agent.request({
          origin: base.origin,
          path: `${path}?query=${encodeURIComponent(query)}`,
          method: "GET",
          headers,
          signal: gaveUp.signal,
        });
        const text = await readBounded(body);
        return text === undefined
          ? `answers with more than ${MOST_BYTES / 1_000_000} MB: select fewer series, or a shorter range`
          : { status: statusCode, text };
      } catch (error) {
        return gaveUp.signal.aborted ? `has not answered within ${deadlineMs / 1000} s` : whyNot(error);
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => agent.destroy(),
  };
};

const credentialsOf = ({ username, password }: URL, token: string | undefined): string | undefined => {
  if (token !== undefined) return `Bearer ${token}`;
  if (username === "") return undefined;
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
};

/** Undefined: too long. What is left of it is not read. */
const readBounded = async (body: AsyncIterable<unknown>): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
};

const whyNot = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return "refuses connections";
  if (code === "UND_ERR_SOCKET" || code === "ECONNRESET") return "closes the connection instead of answering";
  return `cannot be reached: ${brief(code === "" ? String(error) : code)}`;
};
