// Answers the guard's probes at once, for regions whose pods are only pretended. Prints its port; ends with its standard input.
import { createServer } from "node:http";

const ANSWER = JSON.stringify({ code: "0", msg: "", data: [{ sCode: "0" }] });
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () =>
    response
      .writeHead(200, {
        "content-type": "application/json",
        "content-length": ANSWER.length,
        "x-release": "gateway@1.0",
      })
      .end(ANSWER),
  );
});
server.keepAliveTimeout = 75_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on("close", () => process.exit(0)).resume();
