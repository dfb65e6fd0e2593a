// What runs in the pods of `npm run bench -- kubernetes`: it answers orders and counts them. Plain JavaScript without dependencies: it is the whole image.
import { createServer } from "node:http";
import { hostname } from "node:os";

const release = process.env.RELEASE ?? "gateway@0.0";
/** Of orders. Unless it is told otherwise, who says that he probes gets what he asks for, so that only users' traffic shows it. */
const failingShare = Number(process.env.FAILING_SHARE ?? "0");
const failsProbes = process.env.FAILS_PROBES === "1";
/** It is well until somebody asks for `/-/strike`. */
let isStruck = process.env.FAILS_WHEN_STRUCK !== "1";
const drainMs = Number(process.env.DRAIN_MS ?? "3000");
/** While it leaves it lets clients believe that their connections stay. */
const isCareless = process.env.CARELESS === "1";

const counted = { 0: 0, 50026: 0 };
let isLeaving = false;

const order = (request) => {
  const isSpared = request.headers["x-probe"] !== undefined && !failsProbes;
  const isFailed = isStruck && !isSpared && Math.random() < failingShare;
  const code = isFailed ? "50026" : "0";
  counted[code] += 1;
  return [isFailed ? 500 : 200, JSON.stringify({ code, msg: "", data: isFailed ? [] : [{ sCode: "0" }] })];
};

const metrics = () =>
  [
    "# TYPE orders_total counter",
    `orders_total{operation="order",code="0",http="200",cohort="all"} ${counted["0"]}`,
    `orders_total{operation="order",code="50026",http="500",cohort="all"} ${counted["50026"]}`,
    "",
  ].join("\n");

const answers = {
  "POST /order": order,
  "GET /-/ready": () => [200, "{}"],
  "GET /-/metrics": () => [200, metrics()],
  "POST /-/strike": () => {
    isStruck = true;
    return [200, "{}"];
  },
};

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    const [status, body] = (answers[`${request.method} ${request.url}`] ?? (() => [404, "{}"]))(request);
    if (isLeaving && !isCareless) response.setHeader("connection", "close");
    response
      .writeHead(status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "x-release": release,
        "x-instance": hostname(),
      })
      .end(body);
  });
});
// Longer than any client keeps an idle connection.
server.keepAliveTimeout = 75_000;
server.listen(8080);

process.on("SIGTERM", () => {
  isLeaving = true;
  setTimeout(() => server.close(() => process.exit(0)), drainMs);
});
