import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

// A venue in a process of its own that answers probes at once and checks nothing: what is measured is who asks. Prints its port.

type Order = { px: string; state: "live" | "canceled" };
const orders = new Map<string, Order>();
let operations = 0;

const ANSWERS: Readonly<Record<string, (query: URLSearchParams, fields: Readonly<Record<string, string>>) => unknown>> =
  {
    "/api/v5/public/instruments": (query) => [
      { instId: query.get("instId"), tickSz: "0.01", lotSz: "0.01", minSz: "0.01" },
    ],
    "/api/v5/market/ticker": () => [{ last: "100" }],
    "/api/v5/trade/orders-pending": () =>
      [...orders].filter(([, { state }]) => state === "live").map(([clOrdId]) => ({ clOrdId })),
    "/api/v5/trade/cancel-all-after": () => [{}],
    "/-/operations": () => [{ operations }],
    "/api/v5/trade/order": (query, fields) => {
      const asked = query.get("clOrdId");
      if (asked !== null) return [{ clOrdId: asked, ...orders.get(asked) }];
      operations += 1;
      orders.set(fields["clOrdId"] ?? "", { px: fields["px"] ?? "", state: "live" });
      return [{ sCode: "0" }];
    },
    "/api/v5/trade/amend-order": (_, fields) => change(fields, (order) => (order.px = fields["newPx"] ?? order.px)),
    "/api/v5/trade/cancel-order": (_, fields) => change(fields, (order) => (order.state = "canceled")),
  };

const change = (fields: Readonly<Record<string, string>>, act: (order: Order) => void): unknown => {
  operations += 1;
  const order = orders.get(fields["clOrdId"] ?? "");
  if (order?.state !== "live") return [{ sCode: "51400" }];
  act(order);
  return [{ sCode: "0" }];
};

const bodyOf = async (request: IncomingMessage): Promise<Readonly<Record<string, string>>> => {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text === "" ? {} : (JSON.parse(text) as Record<string, string>);
};

const server = createServer((request, response) => {
  const [path = "", query] = (request.url ?? "").split("?");
  void bodyOf(request).then((fields) => {
    const data = ANSWERS[path]?.(new URLSearchParams(query), fields);
    response
      .writeHead(data === undefined ? 404 : 200, { "content-type": "application/json" })
      .end(JSON.stringify({ code: data === undefined ? "404" : "0", msg: "", data: data ?? [] }));
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.on("close", () => process.exit(0)).resume();
