// A small server that is ready or not as it is told, and drains as a server behind a Service must: it answers `Connection: close` before it goes.
import { createServer } from "node:http";
import { hostname } from "node:os";

if (process.env.ENDS_WITH !== undefined) process.exit(Number(process.env.ENDS_WITH));
let isReady = process.env.NEVER_READY !== "1";
let isLeaving = false;
const answers = {
  "GET /-/ready": () => [isReady ? 200 : 503, { isReady }],
  "POST /-/break": () => [200, { isReady: (isReady = false) }],
  "POST /-/mend": () => [200, { isReady: (isReady = true) }],
  "GET /": () => [200, { pod: hostname(), release: process.env.RELEASE ?? "" }],
};
const server = createServer((request, response) => {
  if (isLeaving) response.setHeader("connection", "close");
  const [status, body] = (answers[`${request.method} ${request.url}`] ?? (() => [404, {}]))();
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
server.listen(8080);
process.on("SIGTERM", () => {
  isLeaving = true;
  setTimeout(() => server.close(() => process.exit(0)), Number(process.env.DRAIN_MS ?? 3000));
});
