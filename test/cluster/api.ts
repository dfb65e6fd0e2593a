import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";

/** An API server with the rights of an administrator. */
export type Api = {
  /** Asks; resolves with the parsed answer. Rejects with the server's own sentence when the status is 400 or more. */
  call(method: string, path: string, body?: unknown, type?: string): Promise<unknown>;
  readonly url: string;
  close(): void;
};

export async function apiAt(url: string, token: string, caFile: string): Promise<Api> {
  const agent = new Agent({ keepAlive: true, ca: await readFile(caFile) });
  return {
    url,
    close: () => agent.destroy(),
    call: (method, path, body, type = "application/json") =>
      new Promise((resolve, reject) => {
        const sent = request(
          new URL(path, url),
          {
            method,
            agent,
            timeout: 10_000,
            headers: {
              authorization: `Bearer ${token}`,
              ...(body === undefined ? {} : { "content-type": type }),
            },
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on("data", (chunk: Buffer) => chunks.push(chunk));
            answer.on("end", () => {
              const text = Buffer.concat(chunks).toString();
              const parsed = text.startsWith("{") ? (JSON.parse(text) as { message?: string }) : text;
              if ((answer.statusCode ?? 500) < 400) return resolve(parsed);
              const why = typeof parsed === "string" ? parsed : (parsed.message ?? text);
              reject(new Error(`${method} ${path}: ${answer.statusCode} ${why}`));
            });
            answer.on("error", reject);
          },
        );
        sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer within 10 s`)));
        sent.on("error", reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      }),
  };
}
