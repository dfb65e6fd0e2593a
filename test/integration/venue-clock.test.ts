import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { okxFacts } from "../../src/adapters/okx/facts.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const served = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const told = async (rest: string): Promise<unknown> => {
  const [fact, ...others] = await okxFacts({ region: "tokyo", rest, clock: systemClock }).collect(
    AbortSignal.timeout(10_000),
  );
  expect(others).toEqual([]);
  expect(fact).toMatchObject({ id: "regions/tokyo/clock", group: "clock", severity: "warn" });
  return fact?.value;
};

const clockAt =
  (offsetMs: number): RequestListener =>
  (request, response) =>
    request.url === "/api/v5/public/time"
      ? response.end(JSON.stringify({ code: "0", msg: "", data: [{ ts: String(Date.now() + offsetMs) }] }))
      : response.writeHead(404).end();

test.each([
  [0, "in step with this machine"],
  [100, "in step with this machine"],
  [3_000, "3.0 s ahead of this machine"],
  [-61_000, "61.0 s behind this machine"],
])("a region whose clock is %d ms away is told as such", async (offsetMs, text) => {
  expect(await told(await served(clockAt(offsetMs)))).toBe(text);
});

test.each<[string, RequestListener]>([
  ["answers with a page", (_, response) => response.end("<html></html>")],
  ["answers without a time", (_, response) => response.end('{"code":"0","data":[]}')],
  ["fails", (_, response) => response.writeHead(503).end("{}")],
  ["says nothing", () => {}],
])("a region that %s tells no time, and stops nothing", async (_, listener) => {
  expect(await told(await served(listener))).toBe("tells no time");
});

test("a region that is not there tells no time", async () => {
  expect(await told("http://127.0.0.1:1")).toBe("tells no time");
});
