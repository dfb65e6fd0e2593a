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
        const text = body === undefined ? undefined : JSON.stringify(body);
        const sent = request(
          new URL(path, url),
          {
            method,
            agent,
            timeout: 10_000,
            headers: {
              authorization: `Bearer ${token}`,
              // Node states no length for a DELETE by itself, and the server takes the body for the next request.
              ...(text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) }),
            },
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on("data", (chunk: Buffer) => chunks.push(chunk));
            answer.on("end", () => {
              const said = Buffer.concat(chunks).toString();
              // A log may be of lines that are JSON, one by one.
              const isJson = answer.headers["content-type"]?.startsWith("application/json") === true;
              const parsed = isJson && said.startsWith("{") ? (JSON.parse(said) as { message?: string }) : said;
              if ((answer.statusCode ?? 500) < 400) return resolve(parsed);
              const why = typeof parsed === "string" ? parsed : (parsed.message ?? said);
              reject(new Error(`${method} ${path}: ${answer.statusCode} ${why}`));
            });
            answer.on("error", reject);
          },
        );
        sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer within 10 s`)));
        sent.on("error", reject);
        sent.end(text);
      }),
  };
}
