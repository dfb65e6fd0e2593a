import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** How an instance misbehaves. `ignore`: it acknowledges and does nothing. `echo`: it fails, and its code is what the sender authorized himself with. */
export type PaymentFault =
  | "html"
  | "hang"
  | "cut"
  | "500"
  | "429"
  | "odd-code"
  | "ignore"
  | "no-id"
  | "echo"
  | { readonly code: string; readonly http: number };

export type PaymentServer = Awaited<ReturnType<typeof startPaymentServer>>;

type Payment = { readonly id: string; state: "captured" | "refunded" };

/**
 * A payment system of several instances over one book: POST /v1/payments, GET /v1/payments/ID, POST /v1/refunds. The public address sends each request
 * to one of the exposed instances. Answers are `{ result: { code }, data }` or `{ error: { code } }`.
 */
export const startPaymentServer = async (how: {
  readonly instances: readonly { readonly id: string; readonly release: string }[];
  readonly token: string;
}) => {
  const payments = new Map<string, Payment>();
  const faults = new Map<string, PaymentFault>();
  const servers: Server[] = [];
  let exposed = how.instances.map(({ id }) => id);
  let turn = 0;
  let requests = 0;
  const askedOf = new Map<string, number>();
  let made = 0;

  const handle = async (id: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++;
    askedOf.set(id, (askedOf.get(id) ?? 0) + 1);
    const body = await textOf(request);
    response.setHeader("x-instance", id);
    response.setHeader("x-release", how.instances.find((instance) => instance.id === id)?.release ?? "");
    const fault = request.method === "POST" ? faults.get(id) : undefined;
    if (fault === "hang") return;
    if (fault === "cut") return void request.socket.destroy();
    if (fault === "html") return void response.end("<html><body>Welcome to nginx!</body></html>");
    if (fault === "500") return answer(response, 500, { oops: true });
    if (fault === "429") return answer(response, 429, {});
    if (fault === "odd-code") return answer(response, 200, { error: { code: "7777" } });
    if (fault === "echo") return answer(response, 500, { error: { code: request.headers.authorization ?? "" } });
    if (typeof fault === "object") return answer(response, fault.http, { error: { code: fault.code } });
    if (request.headers.authorization !== `Bearer ${how.token}`)
      return answer(response, 401, { error: { code: "1401" } });
    answer(response, 200, perform(request, body, fault));
  };

  const perform = (request: IncomingMessage, body: string, fault: "ignore" | "no-id" | undefined): object => {
    const path = request.url ?? "";
    if (request.method === "GET") {
      const payment = [...payments.values()].find(({ id }) => path === `/v1/payments/${id}`);
      return payment === undefined ? refused("1404") : { result: { code: "0" }, data: payment };
    }
    const { reference } = JSON.parse(body) as { readonly reference: string };
    if (path === "/v1/payments") {
      const payment: Payment = { id: `p-${(made += 1)}`, state: "captured" };
      if (fault !== "ignore") payments.set(reference, payment);
      return { result: { code: "0" }, data: fault === "no-id" ? {} : payment };
    }
    const known = payments.get(reference);
    if (known === undefined || known.state === "refunded") return refused("1404");
    if (fault !== "ignore") known.state = "refunded";
    return { result: { code: "0" }, data: known };
  };

  const listen = async (
    serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<string> => {
    const server = createServer((request, response) => void serve(request, response));
    servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  const urls = new Map<string, string>();
  for (const { id } of how.instances) urls.set(id, await listen((request, response) => handle(id, request, response)));
  // In a rhythm that no probe has: by turns, one instance would get all that changes something and the other all questions.
  const next = (): string => exposed[Math.floor(((turn++ * GOLDEN) % 1) * exposed.length)] ?? "";
  const url = await listen((request, response) => handle(next(), request, response));

  return {
    /** Public address. */
    url,
    urlOf: (id: string): string => urls.get(id) ?? "",
    expose: (ids: readonly string[]): void => {
      exposed = [...ids];
    },
    /** All instances where none is named; undefined ends it. */
    fault: (fault: PaymentFault | undefined, ids: readonly string[] = how.instances.map(({ id }) => id)): void => {
      for (const id of ids)
        if (fault === undefined) faults.delete(id);
        else faults.set(id, fault);
    },
    /** Payments that nobody took back. */
    open: (): number => [...payments.values()].filter(({ state }) => state === "captured").length,
    payments: (): number => payments.size,
    requests: (): number => requests,
    requestsOf: (id: string): number => askedOf.get(id) ?? 0,
    close(): void {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
};

const GOLDEN = (Math.sqrt(5) - 1) / 2;

const refused = (code: string): object => ({ error: { code } });

const answer = (response: ServerResponse, http: number, body: object): void => {
  response.statusCode = http;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
};

/** An environment of a payment system in one region, as a user writes it. */
export const paymentEnvironment = (url: string): string => `midflight: 1
environment: payments
class: demo
rules:
  payments:
    code: [error.code, result.code]
    codes:
      ok: ["0"]
      service: ["1500-1599"]
      auth: ["1401"]
      business: ["1402", "1404"]
    lostState: ["1404"]
regions:
  tokyo:
    probe:
      http:
        url: ${url}
        rules: payments
        values: { token: { env: PAYMENTS_TOKEN } }
        cohorts: { env: PAYMENTS_COHORTS }
        headers: { authorization: "Bearer {token}", x-merchant: "{merchant}" }
        operations:
          pay:
            method: POST
            path: /v1/payments
            body: { json: { reference: "{id}", amount: 1, at: "{now}" } }
            keep: { paymentId: data.id }
            shown: { at: data.state, is: captured, path: "/v1/payments/{paymentId}" }
          refund:
            method: POST
            path: /v1/refunds
            body: { json: { reference: "{pay.id}" } }
            shown: { at: data.state, is: refunded, path: "/v1/payments/{paymentId}" }
        cleanUp: refund
        releaseHeader: x-release
        instanceHeader: X-Instance
components:
  pay: { driver: process, balancer: { tokyo: http://127.0.0.1:1 }, instances: 2 }
`;
