// A small server that says who it is. It drains as the facts sheet asks: it answers `Connection: close` for a while before it goes.
import { createServer } from "node:http";
import { hostname } from "node:os";

let isLeaving = false;
const server = createServer((_, response) => {
  if (isLeaving) response.setHeader("connection", "close");
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ pod: hostname(), version: process.env.VERSION ?? "" }));
});
server.listen(8080);
process.on("SIGTERM", () => {
  isLeaving = true;
  setTimeout(() => server.close(() => process.exit(0)), 500);
});
