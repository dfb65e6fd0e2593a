import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayContext } from "../context.ts";
import { askEngine } from "../engine-link.ts";
import { isFields } from "../../fields.ts";

/** Paths for those who run the venue. A balancer never forwards them. */
export const isOperatorPath = (path: string): boolean => path.startsWith("/-/");

/** Longest notice that a drain may give, in ms. */
const MAX_NOTICE_MS = 120_000;
const DEFAULT_NOTICE_MS = 3_000;

/** Answers an operator's request. `sockets` counts the open WebSocket connections. */
export const answerOperator = async (
  request: IncomingMessage,
  path: string,
  body: unknown,
  response: ServerResponse,
  context: GatewayContext,
  sockets: () => number,
): Promise<void> => {
  const { drain, config, metrics } = context;
  switch (`${request.method ?? "GET"} ${path}`) {
    case "GET /-/ready": {
      const ready = drain.state() === "open" && (await canServe(context));
      return json(response, ready ? 200 : 503, { ready, release: config.release, instance: config.instance });
    }
    case "POST /-/drain":
      drain.start(noticeOf(body));
      return json(response, 200, { state: drain.state(), timeLeftMs: drain.timeLeftMs() });
    case "POST /-/undrain":
      drain.undo();
      return json(response, 200, { state: drain.state() });
    case "GET /-/drained":
      return json(response, 200, { state: drain.state(), inflight: drain.inflight(), sockets: sockets() });
    case "GET /-/metrics":
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(metrics.text());
      return;
    default:
      return json(response, 404, { error: "not found" });
  }
};

// Ready means ready for orders: the engine answers, and the metadata that this release reads is there.
const canServe = async ({ engine, metadata }: GatewayContext): Promise<boolean> => {
  const [asked, instruments] = await Promise.all([
    askEngine(engine, { op: "ticker", instId: "BTC-USDT" }),
    metadata.instruments(),
  ]);
  return asked.kind === "reply" && instruments.kind === "found";
};

const noticeOf = (body: unknown): number => {
  const noticeMs = isFields(body) ? body["noticeMs"] : undefined;
  return typeof noticeMs === "number" && noticeMs >= 0 ? Math.min(noticeMs, MAX_NOTICE_MS) : DEFAULT_NOTICE_MS;
};

const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
};
