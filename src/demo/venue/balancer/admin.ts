import { messageOf } from "../../../errors/message-of.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readJson } from "../fields.ts";
import { parseBackend } from "./backend.ts";
import type { Backend } from "./backend.ts";
import { admitWrite, formatFence } from "./fence.ts";
import type { Pool } from "./pool.ts";
import type { BalancerState } from "./state.ts";

/** Serves operators: which backends there are, and what each takes. */
export type Admin = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** `save` is done before a change counts, so that a restart never forgets a fence that was obeyed. */
export const createAdmin = (pool: Pool, save: (state: BalancerState) => Promise<void>): Admin => {
  let last: Promise<void> = Promise.resolve();
  // One write after the other: two that interleave could pass the fence check in one order and be saved in the other.
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work, work);
    return last;
  };
  const write = async (
    request: IncomingMessage,
    response: ServerResponse,
    change: (backends: readonly Backend[]) => readonly Backend[],
  ): Promise<void> => {
    const state = pool.state();
    const { isAdmitted, highest } = admitWrite(fenceHeader(request), state.fence);
    if (!isAdmitted) return json(response, 409, { error: "fenced", highest: formatFence(highest) });
    const next = { fence: highest, backends: change(state.backends) };
    await save(next);
    pool.replace(next);
    json(response, 200, view(pool));
  };

  return async (request, response) => {
    try {
      const path = request.url?.split("?", 1)[0] ?? "/";
      if (request.method === "GET" && path === "/backends") return json(response, 200, view(pool));
      if (request.method === "GET" && path === "/metrics")
        return void response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(pool.metrics());
      const id = decodeURIComponent(/^\/backends\/([^/]+)$/.exec(path)?.[1] ?? "");
      if (id === "") return json(response, 404, { error: "not found" });
      if (request.method === "DELETE")
        return await inTurn(() => write(request, response, (all) => all.filter((each) => each.id !== id)));
      if (request.method !== "PUT") return json(response, 405, { error: "use GET, PUT or DELETE" });
      const backend = parseBackend(id, readJson(await bodyOf(request)));
      if (backend === undefined)
        return json(response, 400, { error: 'expected {"address":"host:port","release":text,"weight":0..100}' });
      return await inTurn(() => write(request, response, (all) => replaced(all, backend)));
    } catch (error) {
      json(response, 500, { error: messageOf(error) });
    }
  };
};

const replaced = (all: readonly Backend[], backend: Backend): readonly Backend[] =>
  all.some((each) => each.id === backend.id)
    ? all.map((each) => (each.id === backend.id ? backend : each))
    : [...all, backend];

const view = (pool: Pool): object => {
  const { fence, backends } = pool.state();
  return { fence, backends: backends.map((each) => ({ ...each, ...pool.load(each.id) })) };
};

const fenceHeader = (request: IncomingMessage): string | undefined => {
  const value = request.headers["x-midflight-fence"];
  return Array.isArray(value) ? value[0] : value;
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
};

const json = (response: ServerResponse, status: number, value: unknown): void => {
  if (!response.headersSent)
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
};
