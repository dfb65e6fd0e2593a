import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { httpClient } from "../../src/adapters/guard-thread/http-client.ts";
import { regionProbes } from "../../src/adapters/guard-thread/region-probes.ts";
import type { WatchedInstance } from "../../src/ports/watcher.ts";
import { guardOf } from "../fakes/watched-venue.ts";

// A Service keeps a connection with the pod that took it: whoever judges those who take users now must ask anew.
let server: Server;
let origin: string;
const closers: (() => Promise<void>)[] = [];
/** Those that requests came over. */
const used = new Set<Socket>();
let release: () => void = () => undefined;
beforeEach(async () => {
  used.clear();
  server = createServer((request, response) => {
    used.add(request.socket);
    if (request.url !== "/slow") return void response.end("{}");
    release = () => void response.end("late");
    server.emit("slow");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  server.closeAllConnections();
  server.close();
});

const clientOf = () => {
  const client = httpClient();
  closers.push(() => client.close());
  const call = (path = "/") => client.call({ origin, path, method: "GET", headers: {} }, 5_000);
  return { client, call };
};

test("calls go over connections that stand, until they shall ask anew: then none does any more", async () => {
  const { client, call } = clientOf();
  for (let turn = 0; turn < 10; turn += 1) await call();
  const before = new Set(used);
  expect(before.size).toBeLessThan(10);
  client.renew();
  used.clear();
  for (let turn = 0; turn < 10; turn += 1) expect(await call()).toMatchObject({ text: "{}" });
  expect([...used].filter((socket) => before.has(socket))).toEqual([]);
});

test("a call that is under way while connections are renewed gets its answer", async () => {
  const { client, call } = clientOf();
  const asked = once(server, "slow");
  const slow = call("/slow");
  await asked;
  client.renew();
  expect(await call()).toMatchObject({ text: "{}" });
  release();
  expect(await slow).toMatchObject({ text: "late" });
});

test("probes ask anew once an instance takes no users any more and stands there still, and again when proxies know it too", async () => {
  const probes = regionProbes({
    region: "tokyo",
    probe: {
      kind: "http",
      url: origin,
      values: {},
      headers: {},
      operations: [{ name: "pay", method: "GET", path: "/", headers: {}, keep: {} }],
    },
    accounts: [],
    cohorts: [{ cohort: "c", values: {} }],
    otherOrigins: [],
    guard: guardOf({ operations: ["pay"] }),
    prefix: "t",
    lag: { since: () => 0, stop: () => undefined },
    onSamples: () => undefined,
    onOutcome: () => undefined,
    onSilence: () => undefined,
    onFill: () => undefined,
    onLeaving: () => undefined,
    onFarewell: () => undefined,
  });
  closers.push(() => probes.stop());
  const one = (inTraffic: boolean): WatchedInstance => ({
    id: "old-1",
    component: "gateway",
    region: "tokyo",
    release: "gateway@1.0",
    side: "old",
    url: origin,
    inTraffic,
  });
  const grown = async (count: number): Promise<ReadonlySet<Socket>> => {
    used.clear();
    let requests = 0;
    const counting = (): void => void (requests += 1);
    server.on("request", counting);
    await expect.poll(() => requests, { timeout: 10_000 }).toBeGreaterThan(count);
    server.off("request", counting);
    return new Set(used);
  };
  probes.instances([one(true)]);
  probes.start();
  const first = await grown(10);
  probes.instances([one(true)]);
  expect([...(await grown(10))].some((socket) => first.has(socket))).toBe(true);
  probes.instances([one(false)]);
  const second = await grown(5);
  expect([...second].some((socket) => !first.has(socket))).toBe(true);
  await expect
    .poll(async () => [...(await grown(3))].some((socket) => first.has(socket) || second.has(socket)), {
      timeout: 10_000,
    })
    .toBe(false);
}, 30_000);
