import type { IncomingMessage, ServerResponse } from "node:http";
import { readJson } from "../fields.ts";
import { authenticate } from "./auth.ts";
import type { Call, GatewayContext, Route, Routes } from "./context.ts";
import { notFound, refused } from "./envelope.ts";
import type { Answer } from "./envelope.ts";
import { ACCOUNT } from "./routes/account.ts";
import { CANCEL_ALL_AFTER } from "./routes/cancel-all-after.ts";
import { MARKET } from "./routes/market.ts";
import { answerOperator, isOperatorPath } from "./routes/operator.ts";
import { operationAt, ORDER_ENTRY } from "./routes/order-entry.ts";
import { ORDER_QUERIES } from "./routes/orders.ts";
import { PUBLIC } from "./routes/public.ts";
import { SYSTEM } from "./routes/system.ts";

/** Every public path of the gateway. */
const ROUTES: Routes = {
  ...ORDER_ENTRY,
  ...ORDER_QUERIES,
  ...CANCEL_ALL_AFTER,
  ...ACCOUNT,
  ...PUBLIC,
  ...MARKET,
  ...SYSTEM,
};

const MAX_BODY_BYTES = 1_048_576;

/** Serves REST: users' paths under /api/v5, operators' under /-/. Never rejects. */
export const serveRest = async (
  request: IncomingMessage,
  response: ServerResponse,
  context: GatewayContext,
  sockets: () => number,
): Promise<void> => {
  const since = performance.now();
  const target = request.url ?? "/";
  const path = target.split("?", 1)[0] ?? "/";
  try {
    const body = await readBody(request);
    if (isOperatorPath(path)) return await answerOperator(request, path, readJson(body), response, context, sockets);
    send(response, await admit({ request, target, path, body, since }, context), context);
  } catch {
    // The client is gone, or sent more than is taken from anybody.
    response.destroy();
  }
};

type Arrived = {
  readonly request: IncomingMessage;
  readonly target: string;
  readonly path: string;
  readonly body: string;
  readonly since: number;
};

// Once closed, nothing is accepted: the answer says that for certain nothing was processed.
const admit = async (arrived: Arrived, context: GatewayContext): Promise<Answer> => {
  const leave = context.drain.tryEnter();
  if (leave === undefined) return turnedAway(arrived, "50001", context);
  try {
    return await answer(arrived, context);
  } catch {
    return refused("50026");
  } finally {
    leave();
  }
};

const answer = async (arrived: Arrived, context: GatewayContext): Promise<Answer> => {
  const { request, target, path, body } = arrived;
  const method = request.method ?? "GET";
  const route: Route | undefined = ROUTES[`${method} ${path}`];
  if (route === undefined) return notFound();
  const header = (name: string): string | undefined => headerOf(request, name);
  const verdict =
    route.kind === "signed"
      ? authenticate({ method, target, body, header }, context.keyring, context.now())
      : undefined;
  if (verdict !== undefined && "code" in verdict) return turnedAway(arrived, verdict.code, context);
  const parsed = readJson(body);
  if (parsed === undefined && body !== "") return turnedAway(arrived, "50002", context);
  const call: Call = { query: queryOf(target), body: parsed, header, since: arrived.since };
  if (route.kind === "public") return route.answer(call, context);
  return verdict === undefined ? refused("50026") : route.answer({ ...call, account: verdict.account }, context);
};

// A refusal before the request was read still counts as an operation: its user did not get through.
const turnedAway = (arrived: Arrived, code: string, context: GatewayContext): Answer => {
  const kind = operationAt(arrived.request.method ?? "GET", arrived.path);
  const cohort = context.keyring.find(headerOf(arrived.request, "ok-access-key") ?? "")?.cohort ?? "unknown";
  if (kind !== undefined)
    context.metrics.count(kind, code, cohort, "rest", (performance.now() - arrived.since) / 1_000);
  return refused(code);
};

const send = (response: ServerResponse, { http, body }: Answer, { config, drain }: GatewayContext): void => {
  const text = JSON.stringify(body);
  response
    .writeHead(http, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      "x-venue-region": config.region,
      "x-venue-release": config.release,
      "x-venue-instance": config.instance,
      ...(drain.state() !== "open" && { connection: "close" }),
    })
    .end(text);
};

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

const queryOf = (target: string): URLSearchParams =>
  new URLSearchParams(target.includes("?") ? target.slice(target.indexOf("?")) : "");

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};
